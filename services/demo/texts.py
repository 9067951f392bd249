"""What is written in the demo: roles, titles, notes, reasons."""

from __future__ import annotations

# Name, invoice presentment, communication.
CONTACT_ROLES = (
    ("Accounts Payable", True, True),
    ("Controller", False, True),
    ("Bookkeeper", True, False),
    ("Owner", True, True),
    ("Purchasing", False, False),
    ("Site Manager", False, False),
    ("Project Manager", False, False),
    ("Legal", False, False),
)

RENAMED_ROLE = {"name": "Legal and Compliance"}
CUSTOM_USER_ROLE = "AR clerk with roles"

TITLES = (
    "Accounts Payable Clerk",
    "Accounts Payable Manager",
    "Bookkeeper",
    "Buyer",
    "Chief Financial Officer",
    "Controller",
    "Facility Manager",
    "Finance Director",
    "General Manager",
    "Office Manager",
    "Operations Manager",
    "Owner",
    "Project Manager",
    "Purchasing Manager",
    "Senior Accountant",
    "Site Manager",
    "Treasurer",
)

LOCATIONS = ("Head Office", "Warehouse", "North Yard", "Showroom", "Service Center", "Plant 2", "Harbor Depot")

TERMS = (("1", "Due on receipt"), ("2", "Net 15"), ("3", "Net 30"), ("4", "Net 60"))

# {number} is an invoice, {day} a day of the month, {person} a contact, {amount} money.
NOTES = (
    "{person} called: invoice {number} is approved and goes out with the run on the {day}th.",
    "Invoice {number} is disputed: two pallets arrived damaged. Waiting for photos.",
    "Left a message for {person} about {number}.",
    "Pays by check only. Never asks for a card link.",
    "Wants one statement a month, on the first, to accounts payable.",
    "PO number must be on every invoice, or their system refuses it.",
    "{person} asked for a copy of {number}. Sent.",
    "Promised {amount} by the {day}th. Call again if it is not there.",
    "Their fiscal year ends in June: expect slow payments until the {day}th of July.",
    "Credit limit raised to {amount}. Approved by the AR manager.",
    "New accounts payable system on their side: invoices as PDF, one a file.",
    "{person} is on leave until the {day}th. Ask the office meanwhile.",
    "Short-paid {number} by {amount}; says freight was not agreed.",
    "Tax exemption certificate is on file, valid until the end of next year.",
    "Prefers phone over email, before noon.",
    "Visited. Good relationship, they plan to order more in spring.",
)

# What contacts say at the order desk, where the customer demands it.
SAID_WHEN_ORDERING = "violet ink"

# On quotes, orders and invoices.
DOCUMENT_NOTES = (
    "Deliver to the back entrance, after 2 pm.",
    "Disputed: one pallet was damaged. Photos are on their way.",
    "Price agreed with sales on the phone.",
    "Their PO number was missing; they send it on Monday.",
    "Copy sent again.",
    "Freight is on us this time.",
)

EDITS = (
    "{body}\n\nUpdate: paid in full.",
    "{body}\n\nUpdate: no answer yet.",
    "{body}\n\nSpoke to them again: still open, next call on the {day}th.",
    "{body} (confirmed in writing)",
)

TITLE_REASONS = (None, None, "Promoted", "New signature in their email", "Asked on the phone")
ADDRESS_REASONS = ("Mail came back", "Moved", "Corrected by the customer", None)
LEAVING_REASONS = ("Left the company", "Retired", "Email bounced, office confirms that they left", None)

# Who writes: on emails and PDFs.
COMPANY = {
    "company": {
        "name": "Copperfield Supply",
        "address": {
            "lines": ["118 Foundry Street"],
            "city": "Springfield",
            "region": "IL",
            "postal_code": "62701",
            "country": "US",
        },
        "email": "receivables@example.com",
        "phone": "+12175550142",
        "payment_instructions": "Bank transfer to First Example Bank, account 000 123 456. Please name the invoice.",
    },
    "reply_to": "receivables@example.com",
}

# What mail servers say.
TAKEN = "250 2.0.0 Ok: queued as {number:08X}"
BOUNCED = "550 5.1.1 The email account that you tried to reach does not exist"

BY_POST = "Nobody there gets invoices by email: sent by post."

# Names and contents of what customers send; {customer} is their name.
DOCUMENTS = (
    ("Tax exemption.txt", "Certificate of exemption from sales tax, held by {customer}.\n"),
    ("Purchase conditions.txt", "{customer} pays 30 days after delivery. Partial deliveries only as agreed.\n"),
    ("Open items.csv", "customer,invoice,amount\n{customer},sent on request,see statement\n"),
    ("Credit application.txt", "{customer} asks for an open account, with two references.\n"),
)
