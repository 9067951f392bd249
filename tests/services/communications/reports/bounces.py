"""Bounce messages in the dialects of mail systems, written in the style of the RFCs' own examples."""

from __future__ import annotations

POSTFIX = """\
Return-Path: <>
Received: by mx.sender.example.com (Postfix) id 5B3A9C0A12; Tue,  1 Jan 2030 10:00:05 +0000 (UTC)
Date: Tue,  1 Jan 2030 10:00:05 +0000 (UTC)
From: MAILER-DAEMON@mx.sender.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: billing@sender.example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F2B6C0A0F.1893492005/mx.sender.example.com"
Message-Id: <20300101100005.5B3A9C0A12@mx.sender.example.com>

This is a MIME-encapsulated message.

--4F2B6C0A0F.1893492005/mx.sender.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.sender.example.com.

<{recipient}>: host mx.receiver.example.com[192.0.2.25] said: 550 5.1.1
    <{recipient}>: Recipient address rejected: User unknown in virtual mailbox
    table (in reply to RCPT TO command)

--4F2B6C0A0F.1893492005/mx.sender.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.sender.example.com
Original-Envelope-Id: {envelope}
X-Postfix-Queue-ID: 4F2B6C0A0F
X-Postfix-Sender: rfc822; billing@sender.example.com
Arrival-Date: Tue,  1 Jan 2030 10:00:01 +0000 (UTC)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.receiver.example.com
Diagnostic-Code: smtp; 550 5.1.1 <{recipient}>: Recipient address
    rejected: User unknown in virtual mailbox table

--4F2B6C0A0F.1893492005/mx.sender.example.com
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: Billing <billing@sender.example.com>
To: {recipient}
Message-ID: <{message_id}>
Subject: Statement

Dear customer

--4F2B6C0A0F.1893492005/mx.sender.example.com--
"""

# No envelope id, several spaces, comments, and only the headers of the email.
SENDMAIL = """\
Date: Tue, 1 Jan 2030 12:00:00 +0200
From: Mail Delivery Subsystem <MAILER-DAEMON@relay.example.net>
Message-Id: <203001011000.x01A05k01234@relay.example.net>
To: <billing@sender.example.com>
MIME-Version: 1.0
Content-Type: Multipart/Report; Report-Type="Delivery-Status"; boundary=x01A05k01234.1893492000/relay
Subject: Warning: could not send message for past 4 hours

--x01A05k01234.1893492000/relay

    *** THIS IS A WARNING MESSAGE ONLY: YOU DO NOT NEED TO RESEND ***

--x01A05k01234.1893492000/relay
Content-Type: message/delivery-status

Reporting-MTA: dns;relay.example.net
Arrival-Date: Tue, 1 Jan 2030 08:00:00 +0200

Final-Recipient: RFC822; {recipient}
Action: delayed (will retry)
Status: 4.4.1 (connection timed out)
Remote-MTA: DNS; mx.receiver.example.com
Last-Attempt-Date: Tue, 1 Jan 2030 11:59:58 +0200
Will-Retry-Until: Sun, 6 Jan 2030 08:00:00 +0200

--x01A05k01234.1893492000/relay
Content-Type: text/rfc822-headers

Return-Path: <billing@sender.example.com>
Message-Id: <{message_id}>
Subject: Statement

--x01A05k01234.1893492000/relay--
"""

# Exchange Online: the address is only in the diagnostic code's own words, and the body is HTML.
EXCHANGE = """\
From: <postmaster@receiver.example.com>
To: <billing@sender.example.com>
Date: Tue, 1 Jan 2030 10:00:07 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="1b0f9a0e-8d9e-4a58-ab5c-0f7a0a8d1234"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-US
Message-ID: <9f0c6a2b-1111-4222-8333-444455556666@EUR01.PROD.OUTLOOK.COM>
Subject: Undeliverable: Statement
Auto-Submitted: auto-replied
MIME-Version: 1.0

--1b0f9a0e-8d9e-4a58-ab5c-0f7a0a8d1234
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="aabbccdd-0000-1111-2222-333344445555"

--aabbccdd-0000-1111-2222-333344445555
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message wasn't delivered because the address couldn't be foun=
d.

--aabbccdd-0000-1111-2222-333344445555
Content-Type: text/html; charset="us-ascii"

<html><body>Your message wasn't delivered.</body></html>

--aabbccdd-0000-1111-2222-333344445555--

--1b0f9a0e-8d9e-4a58-ab5c-0f7a0a8d1234
Content-Type: message/delivery-status

Reporting-MTA: dns;EUR01.prod.protection.outlook.com
Received-From-MTA: dns;mx.sender.example.com
Arrival-Date: Tue, 1 Jan 2030 10:00:06 +0000

Original-Recipient: rfc822;{recipient}
Final-Recipient: rfc822;{recipient}
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {recipient} not found by SMTP address lookup
X-Display-Name: Somebody

--1b0f9a0e-8d9e-4a58-ab5c-0f7a0a8d1234
Content-Type: message/rfc822

Received: from mx.sender.example.com (192.0.2.1) by EUR01.prod.protection.outlook.com
Message-ID: <{message_id}>
Subject: Statement
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="inner"

--inner
Content-Type: text/plain

Dear customer
--inner--

--1b0f9a0e-8d9e-4a58-ab5c-0f7a0a8d1234--
"""

# International addresses (RFC 6533), in 8 bits and in both ASCII forms.
INTERNATIONAL = """\
Date: Tue, 1 Jan 2030 10:00:05 +0000
From: MAILER-DAEMON@mx.receiver.example.com
Message-ID: <utf8.1@mx.receiver.example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=global-delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

δοκιμή@παράδειγμα.example.com wurde nicht zugestellt.

--b
Content-Type: message/global-delivery-status
Content-Transfer-Encoding: 8bit

Reporting-MTA: dns; mx.receiver.example.com
Original-Envelope-Id: {envelope}

Original-Recipient: {original}
Final-Recipient: utf-8; elsewhere@example.net
Action: failed
Status: 5.1.6
Diagnostic-Code: smtp; 551 5.1.6 Ziehen Sie um: δοκιμή

--b
Content-Type: message/global-headers
Content-Transfer-Encoding: 8bit

Subject: Rechnung für δοκιμή

--b--
"""

# Some relay gives emails a Message-ID of its own; several recipients in one report, and a mailing list.
SEVERAL = """\
Date: Tue, 1 Jan 2030 10:00:05 +0000
From: MAILER-DAEMON@relay.example.net
Message-ID: <several.1@relay.example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Some of it arrived.
--b
Content-Type: message/delivery-status
Content-Transfer-Encoding: base64

{status}
--b
Content-Type: message/rfc822

Message-ID: <another@relay.example.net>
X-Counterfoil-Message-Id: <{message_id}>
Subject: Statement

Dear customer
--b--
"""

SEVERAL_STATUS = """\
Reporting-MTA: dns; relay.example.net

Final-Recipient: rfc822;Grace@example.com
Action: delivered
Status: 2.0.0

Final-Recipient: rfc822;alan@example.com
Action: expanded
Status: 2.0.0

Final-Recipient: rfc822;nobody@example.com
Action: failed
Status: 5.2.2
"""

PERSON = """\
From: Ada <ada@example.com>
To: billing@sender.example.com
Subject: Re: Statement
Message-ID: <answer@example.com>
In-Reply-To: <{message_id}>
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

I have paid already.
--b--
"""

# Exim without DSN, a receipt of reading, a report of abuse, and what is broken.
OTHERS = {
    "exim": "From: Mail Delivery System <Mailer-Daemon@mx.example.org>\nX-Failed-Recipients: ada@example.com\n\n550 No",
    "read receipt": (
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n"
        "Content-Type: message/disposition-notification\n\nDisposition: manual-action/MDN-sent; displayed\n--b--\n"
    ),
    "abuse": (
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n"
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n--b--\n"
    ),
    "no status": "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry\n--b--\n",
    "no recipients": (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n--b--\n"
    ),
    "no email": (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
        "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822;a@b\nAction: failed\nStatus: 5.1.1\n--b--\n"
    ),
    "no boundary": "Content-Type: multipart/report; report-type=delivery-status\n\n--b\n--b--\n",
    "empty": "",
    "only a line": "From nobody",
}


def bounce(message_id: str, recipient: str = "grace@example.com", text: str = POSTFIX) -> bytes:
    """A bounce message about one recipient of an email, with line ends as on the wire."""
    filled = text.format(message_id=message_id, envelope=message_id, recipient=recipient)
    return filled.replace("\n", "\r\n").encode()
