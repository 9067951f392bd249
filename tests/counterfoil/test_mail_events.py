"""What providers of mail report by HTTP: believed when they prove who they are, once, and never a bug of ours."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit import Request
from counterfoil.app import create_app
from counterfoil.settings import read_settings
from models import Contact, Database, Delivery, DeliveryStatus, Row, clock
from models.rows import by_ids
from services.communications.reports import HEADER, dsn, postmark, sendgrid, take_in
from services.documents import Storage
from tests.audit.rows import disclosed, events
from tests.counterfoil.amazon import CERTIFICATE, HOST, SUBSCRIBE, TOPIC, Amazon, amazon, certificate, message
from tests.services.communications.drafts import addressee, contact_at, draft, recorded, settled
from tests.services.communications.reports.bounces import POSTFIX, bounce
from tests.services.mail.sending import deliver, statuses
from tests.services.mail.sending import one as waiting

pytestmark = pytest.mark.anyio

S = DeliveryStatus
SECRET = "a secret of thirty-two characters"
KEY = generate_private_key(SECP256R1())
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
BASIC = {"authorization": "Basic " + base64.b64encode(f"counterfoil:{SECRET}".encode()).decode()}


def http(**settings: Any) -> httpx.AsyncClient:
    """The application with these settings, and every provider."""
    given = {"ses_topics": (TOPIC,), "sendgrid_key": PUBLIC, "postmark_secret": SECRET, **settings}
    app = create_app(read_settings(**given))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://counterfoil.test")


@pytest.fixture
def sns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    """A server that answers in the name of Amazon SNS."""
    with amazon(tmp_path, monkeypatch) as found:
        yield found


async def sent() -> Row:
    """A delivery to Grace that a mail server took."""
    _, [delivery] = await recorded(draft(addressee(await contact_at())))
    [row] = await settled(delivery, S.SENT, "250 OK")
    return row


async def now(delivery: Row) -> tuple[str, str | None, bool]:
    """The delivery's status and reply, and whether its contact is marked."""
    [row], [contact] = await by_ids(Delivery)([delivery["id"]]), await by_ids(Contact)([delivery["contact_id"]])
    assert row is not None
    assert contact is not None
    return row["status"], row["reply"], contact["email_problem"] is not None


def counts(response: httpx.Response) -> tuple[int, int, int]:
    """Taken, repeated, unknown."""
    assert response.status_code == 200, response.text
    found = response.json()
    return found["taken"], found["repeated"], found["unknown"]


# Postmark


def hard_bounce(delivery: Row, **fields: Any) -> dict[str, Any]:
    made = {"RecordType": "Bounce", "ID": 4323372036854775807, "Type": "HardBounce", "TypeCode": 1}
    made |= {"Email": delivery["email"], "BouncedAt": "2030-01-01T10:00:00Z", "MessageID": "883953f4-6105-42a2"}
    made |= {
        "Metadata": {"message-id": delivery["message_id"]},
        "Details": "smtp;550 5.1.1 The account does not exist.",
    }
    return {**made, **fields}


async def test_postmark(database: Database) -> None:
    delivery, client = await sent(), http()
    for expected in ((1, 0, 0), (0, 1, 0)):
        response = await client.post("/mail/events/postmark", json=hard_bounce(delivery), headers=BASIC)
        assert counts(response) == expected
    assert await now(delivery) == ("BOUNCED", "smtp;550 5.1.1 The account does not exist.", True)
    told = (await events(database))[-2]
    assert (told["action"], told["actor_kind"]) == ("delivery.updated", "SYSTEM")
    assert told["request_id"].startswith("req_")
    assert (await disclosed(database, told["seq"]))["system"]["actor.name"] == "Postmark"


async def test_what_postmark_tells(database: Database) -> None:
    client = http()
    for change, expected in (
        ({"Type": "Transient"}, ("DEFERRED", "smtp;550", False)),
        ({"Type": "SoftBounce"}, ("BOUNCED", "smtp;550", False)),
        ({"Type": "AutoResponder"}, ("SENT", "250 OK", False)),
        ({"RecordType": "Open"}, ("SENT", "250 OK", False)),
        ({"RecordType": "Delivery", "DeliveredAt": "2030-01-01T10:00:00Z"}, ("DELIVERED", "smtp;550", False)),
    ):
        delivery = await sent()
        body = hard_bounce(delivery, ID=delivery["id"], Recipient=delivery["email"], Details="smtp;550", **change)
        assert (await client.post("/mail/events/postmark", json=body, headers=BASIC)).status_code == 200
        assert await now(delivery) == expected, change


async def test_postmark_needs_the_secret(database: Database) -> None:
    delivery, client = await sent(), http()
    wrong = {"authorization": "Basic " + base64.b64encode(b"counterfoil:another").decode()}
    bearer = {"authorization": f"Bearer {SECRET}"}
    for headers, status in (({}, 401), (bearer, 401), (wrong, 403), ({"authorization": "Basic %%%"}, 403)):
        response = await client.post("/mail/events/postmark", json=hard_bounce(delivery), headers=headers)
        assert response.status_code == status, headers
        assert ("www-authenticate" in response.headers) == (status == 401)
    assert await now(delivery) == ("SENT", "250 OK", False)


# SendGrid


def signed(body: bytes, at: datetime | None = None, signer: Any = KEY) -> dict[str, str]:
    stamp = str(int((at or clock.now()).timestamp()))
    signature = base64.b64encode(signer.sign(stamp.encode() + body, ECDSA(SHA256()))).decode()
    return {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
    }


def event(delivery: Row, kind: str, **fields: Any) -> dict[str, Any]:
    made = {
        "email": delivery["email"],
        "timestamp": 1893492000,
        "event": kind,
        "sg_event_id": f"{kind} {delivery['id']}",
    }
    return {**made, "smtp-id": f"<{delivery['message_id']}>", "sg_message_id": "14c5d75ce93.dfd.64b469", **fields}


async def post_events(client: httpx.AsyncClient, *found: Any) -> httpx.Response:
    body = json.dumps(found).encode()
    return await client.post("/mail/events/sendgrid", content=body, headers=signed(body))


async def test_sendgrid(database: Database) -> None:
    client = http()
    delivery, other = await sent(), await sent()
    found = [
        event(delivery, "processed"),
        event(delivery, "bounce", type="bounce", status="5.1.1", reason="550 5.1.1 No such user"),
        event(
            other,
            "delivered",
            response="250 2.0.0 OK",
            **{"smtp-id": "<x>", "counterfoil_message_id": other["message_id"]},
        ),
        event(other, "open"),
        event({**other, "message_id": "another@example.com"}, "bounce"),
    ]
    assert counts(await post_events(client, *found)) == (3, 0, 1)
    assert counts(await post_events(client, *reversed(found))) == (0, 3, 1)
    assert await now(delivery) == ("BOUNCED", "550 5.1.1 No such user", True)
    assert await now(other) == ("DELIVERED", "250 2.0.0 OK", True)


async def test_what_sendgrid_tells(database: Database) -> None:
    client = http()
    for number, (kind, fields, expected) in enumerate(
        (
            ("deferred", {"response": "451 Later"}, ("DEFERRED", "451 Later")),
            (
                "bounce",
                {"type": "blocked", "status": "5.1.1", "reason": "550 5.1.1 Spam"},
                ("BOUNCED", "550 5.1.1 Spam"),
            ),
            ("bounce", {"type": "bounce", "reason": "552 5.2.2 Full"}, ("BOUNCED", "552 5.2.2 Full")),
            ("dropped", {"reason": "Spam Content"}, ("BOUNCED", "Spam Content")),
            ("spamreport", {}, ("SENT", "250 OK")),
        )
    ):
        delivery = await sent()
        await post_events(client, event(delivery, kind, sg_event_id=str(number), **fields))
        assert await now(delivery) == (*expected, False), kind
    delivery = await sent()
    await post_events(client, event(delivery, "dropped", reason="Bounced Address"))
    assert await now(delivery) == ("BOUNCED", "Bounced Address", True)


async def test_sendgrid_signs_the_time_and_the_body(database: Database) -> None:
    delivery, client = await sent(), http()
    body = json.dumps([event(delivery, "bounce")]).encode()
    good = signed(body)
    [name, stamp] = good
    other = generate_private_key(SECP256R1())
    for headers, status in (
        ({}, 401),
        ({name: good[name]}, 401),
        (signed(body + b" "), 403),
        (signed(body, signer=other), 403),
        ({**good, stamp: str(int(good[stamp]) + 1)}, 403),
        ({**good, name: "%%%"}, 403),
        (signed(body, clock.now() - timedelta(minutes=11)), 403),
        (signed(body, clock.now() + timedelta(minutes=11)), 403),
    ):
        response = await client.post("/mail/events/sendgrid", content=body, headers=headers)
        assert response.status_code == status
    assert await now(delivery) == ("SENT", "250 OK", False)
    assert counts(await client.post("/mail/events/sendgrid", content=body, headers=good)) == (1, 0, 0)


# Amazon SES


def ses_event(delivery: Row, kind: str, named: str = "eventType", /, **fields: Any) -> str:
    headers = [
        {"name": "From", "value": "a@example.com"},
        {"name": "Message-ID", "value": f"<{delivery['message_id']}>"},
    ]
    mail = {
        "messageId": "0102018-ses",
        "destination": [delivery["email"]],
        "headers": headers,
        "timestamp": "2030-01-01T10:00:00.000Z",
    }
    return json.dumps({named: kind, "mail": mail, **fields})


def bounce_of(delivery: Row, kind: str = "Permanent", subtype: str = "General", **recipient: Any) -> dict[str, Any]:
    bounced = [{"emailAddress": delivery["email"], **recipient}]
    bounce = {"bounceType": kind, "bounceSubType": subtype, "timestamp": "2030-01-01T10:00:00.000Z"}
    return {"bounce": {**bounce, "bouncedRecipients": bounced}}


NO_USER = {"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}


async def post_sns(client: httpx.AsyncClient, found: dict[str, Any]) -> httpx.Response:
    # That is how SNS calls it.
    return await client.post("/mail/events/ses", content=json.dumps(found), headers={"content-type": "text/plain"})


@pytest.mark.parametrize("version", ["1", "2"])
async def test_ses(database: Database, sns: Amazon, version: str) -> None:
    delivery, client = await sent(), http()
    text = ses_event(delivery, "Bounce", **bounce_of(delivery, **NO_USER))
    for expected in ((1, 0, 0), (0, 1, 0)):
        found = message(text, version=version, Subject="Amazon SES Email Event Notification\n")
        assert counts(await post_sns(client, found)) == expected
    assert await now(delivery) == ("BOUNCED", "550 5.1.1 user unknown", True)
    # The certificate is fetched once.
    assert sns.asked == [CERTIFICATE.removeprefix(f"https://{HOST}")]
    told = (await events(database))[-2]
    assert (await disclosed(database, told["seq"]))["system"]["actor.name"] == "Amazon SES"


async def test_what_ses_tells(database: Database, sns: Amazon) -> None:
    client = http()
    delay = {"timestamp": "2030-01-01T10:00:00.000Z", "delayType": "TransientCommunicationFailure"}
    cases: list[tuple[str, str, Callable[[Row], dict[str, Any]], tuple[str, str, bool]]] = [
        (
            "Bounce",
            "notificationType",
            lambda d: bounce_of(d, **NO_USER),
            ("BOUNCED", "550 5.1.1 user unknown", True),
        ),
        ("Bounce", "eventType", lambda d: bounce_of(d, subtype="Suppressed"), ("BOUNCED", "250 OK", True)),
        ("Bounce", "eventType", lambda d: bounce_of(d, status="5.7.1"), ("BOUNCED", "250 OK", False)),
        ("Bounce", "eventType", lambda d: bounce_of(d, "Transient", "MailboxFull"), ("BOUNCED", "250 OK", False)),
        ("Bounce", "eventType", lambda d: bounce_of(d, "Transient"), ("SENT", "250 OK", False)),
        ("Bounce", "eventType", lambda d: bounce_of(d, "Transient", action="failed"), ("BOUNCED", "250 OK", False)),
        ("Bounce", "eventType", lambda d: bounce_of(d, "Undetermined"), ("BOUNCED", "250 OK", False)),
        (
            "Delivery",
            "eventType",
            lambda d: {"delivery": {"recipients": [d["email"]], "smtpResponse": "250 yes"}},
            ("DELIVERED", "250 yes", False),
        ),
        (
            "DeliveryDelay",
            "eventType",
            lambda d: {"deliveryDelay": {**delay, "delayedRecipients": [{"emailAddress": d["email"]}]}},
            ("DEFERRED", "TransientCommunicationFailure", False),
        ),
        ("Reject", "eventType", lambda d: {"reject": {"reason": "Bad content"}}, ("BOUNCED", "Bad content", False)),
        ("Complaint", "eventType", lambda d: {"complaint": {}}, ("SENT", "250 OK", False)),
        ("Send", "eventType", lambda d: {"send": {}}, ("SENT", "250 OK", False)),
    ]
    for number, (kind, named, make, expected) in enumerate(cases):
        delivery = await sent()
        await post_sns(client, message(ses_event(delivery, kind, named, **make(delivery)), MessageId=str(number)))
        assert await now(delivery) == expected, (kind, number)


async def test_a_subscription_is_confirmed_for_our_topics_only(database: Database, sns: Amazon) -> None:
    client = http()
    assert (await post_sns(client, message("You have chosen…", "SubscriptionConfirmation"))).status_code == 200
    assert sns.asked[1:] == [SUBSCRIBE.removeprefix(f"https://{HOST}")]
    other = TOPIC.replace("bounces", "others")
    assert (await post_sns(client, message("…", "SubscriptionConfirmation", TopicArn=other))).status_code == 403
    elsewhere = "https://sns.eu-central-1.amazonaws.com.example.com/?Action=ConfirmSubscription"
    assert (await post_sns(client, message("…", "SubscriptionConfirmation", SubscribeURL=elsewhere))).status_code == 403
    assert (await post_sns(client, message("…", "UnsubscribeConfirmation"))).status_code == 200
    assert len(sns.asked) == 2


async def test_whose_signature_is_wrong(database: Database, sns: Amazon) -> None:
    delivery, client = await sent(), http()
    text = ses_event(delivery, "Bounce", **bounce_of(delivery, **NO_USER))
    good = message(text)
    for found, status in (
        ({**good, "Message": text.replace("5.1.1", "5.1.2")}, 403),
        ({**good, "Subject": "More"}, 403),
        ({**good, "SignatureVersion": "1"}, 403),
        ({**good, "SignatureVersion": "3"}, 401),
        ({**good, "Signature": None}, 401),
        ({**good, "Signature": "%%%"}, 403),
        ({**good, "Signature": "AAAA"}, 403),
        (message(text, signer=1), 403),
        ({**good, "TopicArn": TOPIC.replace("bounces", "others")}, 403),
        (message(text, TopicArn=TOPIC.replace("123456789012", "210987654321")), 403),
    ):
        assert (await post_sns(client, found)).status_code == status, found
    assert await now(delivery) == ("SENT", "250 OK", False)
    assert counts(await post_sns(client, good)) == (1, 0, 0)


async def test_what_amazon_sent_long_ago_is_a_replay(database: Database, sns: Amazon) -> None:
    delivery, client = await sent(), http()
    text = ses_event(delivery, "Bounce", **bounce_of(delivery, **NO_USER))
    hours = {2.1: 403, 24 * 100: 403, 1: 200}
    for ago, status in hours.items():
        at = (clock.now() - timedelta(hours=ago)).isoformat()
        assert (await post_sns(client, message(text, Timestamp=at))).status_code == status, ago
    assert (await post_sns(client, message(text, Timestamp="yesterday"))).status_code == 403


FOREIGN_CERTIFICATES = [
    CERTIFICATE.replace("https", "http"),
    CERTIFICATE.replace(HOST, "sns.us-east-1.amazonaws.com"),
    CERTIFICATE.replace(HOST, f"{HOST}.example.com"),
    CERTIFICATE.replace(HOST, f"{HOST}:8443"),
    CERTIFICATE.replace(HOST, f"user@{HOST}"),
    CERTIFICATE.replace(HOST, f"{HOST}@example.com"),
    CERTIFICATE.replace(HOST, "s3.eu-central-1.amazonaws.com"),
    f"https://{HOST}/?Action=Publish&Message=x.pem",
    f"https://{HOST}/../x.pem",
    f"https://{HOST}/x.pem?y",
    f"https://{HOST}/x.txt",
    "https://[",
    "file:///etc/passwd",
    None,
]


async def test_certificates_come_from_amazon_only(sns: Amazon) -> None:
    client = http()
    for url in FOREIGN_CERTIFICATES:
        assert (await post_sns(client, message("{}", SigningCertURL=url))).status_code == 403, url
    assert sns.asked == []


async def test_certificates_that_are_no_good(sns: Amazon) -> None:
    client = http()
    for number, (status, answer, expected) in enumerate(
        (
            (404, certificate(), 503),
            (302, b"", 503),
            (200, b"x" * 70_000, 503),
            (200, b"no certificate", 403),
            (200, certificate(days=0), 403),
        ),
        start=1,
    ):
        sns.status, sns.answer = status, answer
        assert (await post_sns(client, message("{}"))).status_code == expected, number
        assert len(sns.asked) == number


# All of them


async def test_without_settings_there_is_nothing() -> None:
    client = http(ses_topics=None, sendgrid_key=None, postmark_secret=None)
    for name in ("ses", "sendgrid", "postmark", "mailgun"):
        assert (await client.post(f"/mail/events/{name}", json={})).status_code == 404
    assert (await http().get("/mail/events/ses")).status_code == 405


async def test_wrong_content_is_never_a_bug() -> None:
    client = http()
    bodies = [b"", b"{", b"[]", b"{}", b"null", b"1", b'"x"', b'[{"event": 1}, 2]', b"\xff", b'["\\ud800"]']
    for body in [*bodies, b'{"Type": []}', b'{"Type": "Notification"}']:
        for name, headers in (("ses", {}), ("sendgrid", signed(body)), ("postmark", BASIC)):
            response = await client.post(f"/mail/events/{name}", content=body, headers=headers)
            assert response.status_code in (200, 400), (name, body)
            assert response.status_code == 400 or counts(response) == (0, 0, 0)


async def test_odd_values_are_never_a_bug(database: Database, sns: Amazon) -> None:
    client, odd = http(), [None, 1, True, "", "\0", [], {}, [1], "9" * 400, {"a": None}]
    for value in odd:
        fields = ("Metadata", "Email", "Type", "ID", "BouncedAt", "Details", "RecordType")
        body = dict.fromkeys(fields, value) | {"RecordType": "Bounce", "Type": "HardBounce"}
        for one in (
            body,
            {**body, "RecordType": "Delivery", "Metadata": {"message-id": value}},
            dict.fromkeys(fields, value),
        ):
            assert (await client.post("/mail/events/postmark", json=one, headers=BASIC)).status_code == 200
        names = ("email", "timestamp", "sg_event_id", "status", "reason", "response", "type", "smtp-id", "event")
        assert (await post_events(client, dict.fromkeys(names, value), value)).status_code == 200
        assert (
            await post_events(client, {**dict.fromkeys(names, value), "event": "bounce", "sg_event_id": "1"})
        ).status_code == 200
        for kind in ("Bounce", "Delivery", "DeliveryDelay", "Reject", value):
            for inner in (
                value,
                {"bouncedRecipients": value, "recipients": value, "delayedRecipients": [{"emailAddress": value}]},
            ):
                parts = dict.fromkeys(("bounce", "delivery", "deliveryDelay", "reject"), inner)
                text = json.dumps({"eventType": kind, "mail": {"headers": value, "destination": value}, **parts})
                assert (await post_sns(client, message(text))).status_code == 200, text


async def test_a_body_that_is_too_large() -> None:
    client = http(max_body=2048)
    for name in ("ses", "sendgrid", "postmark"):
        assert (await client.post(f"/mail/events/{name}", content=b"x" * 2049, headers=BASIC)).status_code == 413


async def test_the_log_has_no_addresses(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    delivery, client = await sent(), http()
    await client.post("/mail/events/postmark", json=hard_bounce(delivery), headers=BASIC)
    await client.post("/mail/events/postmark", json=hard_bounce(delivery), headers={"authorization": "Basic x"})
    said = capsys.readouterr().out
    assert "mail events" in said
    assert "grace" not in said


# There and back


async def header_of(delivery: Row, folder: Path) -> dict[str, str]:
    """The header of the delivery's message as it leaves with the settings of all providers, and as one of them sends it
    on: with a Message-ID of its own.
    """
    given = {"sendgrid_key": PUBLIC, "postmark_secret": SECRET, "maildir": folder}
    await deliver(read_settings(**given).mail())
    left = [message_from_bytes(path.read_bytes()) for path in (folder / "new").iterdir()]
    [found] = [dict(one.items()) for one in left if one["Message-ID"] == f"<{delivery['message_id']}>"]
    return {**found, "Message-ID": "<another@example.com>"}


async def test_what_providers_repeat_of_a_message_finds_it_though_its_message_id_is_another(
    database: Database, storage: Storage, tmp_path: Path, sns: Amazon
) -> None:
    names = ("postmark", "sendgrid", "ses", "returned")
    client, made = http(), {name: await waiting(f"{name}@example.com") for name in names}
    header = {name: await header_of(row, tmp_path / "mail") for name, row in made.items()}
    seen = {name: {**row, "message_id": "another@example.com"} for name, row in made.items()}

    start = "x-pm-metadata-"
    metadata = {
        key.lower().removeprefix(start): value for key, value in header["postmark"].items() if start in key.lower()
    }
    assert header["postmark"]["X-PM-KeepID"] == "true"
    body = hard_bounce(seen["postmark"], Metadata=metadata)
    assert counts(await client.post("/mail/events/postmark", json=body, headers=BASIC)) == (1, 0, 0)

    arguments = json.loads(header["sendgrid"]["X-SMTPAPI"])["unique_args"]
    body = event(seen["sendgrid"], "bounce", type="bounce", status="5.1.1", **arguments)
    assert counts(await post_events(client, body)) == (1, 0, 0)

    told = json.loads(ses_event(seen["ses"], "Bounce", **bounce_of(seen["ses"], **NO_USER)))
    told["mail"]["headers"] = [{"name": name, "value": value} for name, value in header["ses"].items()]
    assert counts(await post_sns(client, message(json.dumps(told)))) == (1, 0, 0)

    original = "Message-ID: <{message_id}>"
    further = f"{HEADER}: {header['returned'][HEADER]}"
    text = POSTFIX.replace(original, f"{original}\n{further}")
    reports = dsn.read(bounce("another@example.com", "returned@example.com", text))
    assert (await take_in(dsn.SOURCE, Request.new(dsn.SOURCE), reports)).taken == 1
    assert await statuses(database) == dict.fromkeys(names, "BOUNCED")


def test_only_those_providers_whose_settings_are_there_have_their_headers() -> None:
    assert read_settings().mail().headers == []
    assert read_settings(sendgrid_key=PUBLIC).mail().headers == [sendgrid.headers]
    assert read_settings(postmark_secret=SECRET).mail().headers == [postmark.headers]
    assert postmark.headers("a" * 81) == {"X-PM-KeepID": "true"}
