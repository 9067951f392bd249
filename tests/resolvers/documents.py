"""GraphQL documents that several tests send: mutations with all that their payloads tell, and the history."""

from __future__ import annotations

ADDRESS = "{ lines city region postalCode country }"
METHODS = "methods { id kind value label preferred }"
STUB = """{
  id seq at action category revision requestId reason sentence
  actor { kind id name } subject { type id label } customer { id name } customerLabel
  changes { field label before after beforeText afterText withheld affectedCustomers }
}"""
# Without what needs a permission to read customers.
BARE_STUB = STUB.replace("customer { id name } ", "")

CUSTOMER = f"""{{
  id revision kind name email phone website {METHODS} taxId active
  billingAddress {ADDRESS} shippingAddress {ADDRESS}
  origin {{ kind system externalId }} primaryContact {{ id }}
}}"""
FAMILY = """{
  id revision parent { id name } paymentResponsibility payer { id name } paymentTerms currency
  children(first: 10) { totalCount edges { node { id name } } }
}"""
CONTACT = f"""{{
  id revision firstName lastName title priority email phone {METHODS} preferredMethod address {ADDRESS}
  level primary active origin {{ kind system externalId }}
  role {{ id name }} isCommunicationContact receivesInvoices customer {{ id }} location {{ id name }}
}}"""
LOCATION = f"{{ id revision name address {ADDRESS} customer {{ id }} }}"
CONTACT_ROLE = "{ id revision name wellKnown invoicePresentment communication designatedBy contactCount }"
SALES_DOCUMENT = """{
  id revision kind number status customer { id } location { id } contact { id } contactVerified issuedOn dueOn currency
  amount { amount currency } balance { amount currency } open releasedAt postedAt
}"""
PAYMENT = "{ id revision amount { amount currency } receivedOn method reference salesDocument { id } customer { id } }"
PURPOSE = "{ id revision name wellKnown single assignmentCount }"
ASSIGNMENT = """{ id revision purpose { id name } contact { id } customer { id } reference { type id label } }"""
NOTE = "{ id revision body pinned createdAt author { kind id name } customer { id } contact { id } }"
TEMPLATE = "{ id revision kind name standard enabled subjectSource textSource htmlSource }"
REMINDERS = "{ workflow { id name } }"
ONLINE_PAYMENTS = "{ enabled disabledUntil available }"
CARD = "{ enabled surcharge }"
ACH = "{ enabled discount }"
SETTINGS = f"""{{
  id revision reminders {REMINDERS} monthlyStatement onlinePayments {ONLINE_PAYMENTS} customerPortal
  card {CARD} ach {ACH} contactPolicy portalAccess separateMessages replyTo
  company {{ name address {ADDRESS} email phone taxId paymentInstructions }}
}}"""


def _inherited(name: str, value: str = "") -> str:
    return f"{name} {{ own {value} global {value} effective {value} source }}"


PREFERENCES = f"""{{
  id revision customer {{ id }} {_inherited("reminders", REMINDERS)} {_inherited("monthlyStatement")}
  {_inherited("onlinePayments", ONLINE_PAYMENTS)} {_inherited("customerPortal")} {_inherited("card", CARD)}
  {_inherited("ach", ACH)} {_inherited("contactPolicy")}
}}"""
WORKFLOW = "{ id revision name steps { days template { id name } attachStatement attachInvoice } customerCount }"
DOCUMENT = """{
  id revision name size sha256 mediaType createdAt uploader { kind id name } customer { id } downloadUrl
}"""
COMMUNICATION = """{
  id revision kind subject templateName separate suppressed sentBy { kind id name } customer { id } salesDocument { id }
  resendOf { id } attachments { name mediaType size sha256 document { id } downloadUrl }
}"""
LOGGED = """{
  id kind subject templateName separate suppressed sentBy { kind id name } customer { id name } resendOf { id }
  statuses { status deliveries }
  deliveries { totalCount edges { node {
    id name email role field chosen reasons subject text html status reply attempts mayRepeat contact { id }
  } } }
}"""
USER = "{ id revision name email active role { id name builtIn permissions } }"
USER_ROLE = "{ id revision name builtIn permissions userCount }"
API_KEY = "{ id revision name permissions expiresAt revokedAt createdBy { id } }"


def mutation(name: str, selection: str, stub: str = STUB) -> str:
    """A document with one mutation, its input as the variable `input`, and of its payload `selection`, the events
    and the errors.
    """
    return f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{
      {name}(input: $input) {{
        {selection} events {stub} errors {{ code field message currentRevision retryAfter }}
      }}
    }}"""


CREATE_CUSTOMER = mutation("createCustomer", f"customer {CUSTOMER}")
UPDATE_CUSTOMER = mutation("updateCustomer", f"customer {CUSTOMER}")
CONVERT_TO_CONTACT = mutation("convertToContact", f"customer {CUSTOMER} contact {CONTACT}")
MERGE_CUSTOMERS = mutation(
    "mergeCustomers", f"customer {CUSTOMER} mergedCustomer {{ id revision name active mergedInto {{ id name }} }}"
)
CREATE_LOCATION = mutation("createLocation", f"location {LOCATION}")
UPDATE_LOCATION = mutation("updateLocation", f"location {LOCATION}")
DELETE_LOCATION = mutation("deleteLocation", "deletedId")
CREATE_CONTACT = mutation("createContact", f"contact {CONTACT}")
UPDATE_CONTACT = mutation("updateContact", f"contact {CONTACT}")
DELETE_CONTACT = mutation("deleteContact", "deletedId")
CLEAR_EMAIL_PROBLEM = mutation("clearEmailProblem", f"contact {CONTACT}")
SET_CONTACT_PASSWORD = mutation("setContactPassword", "", BARE_STUB)
SET_CONTACT_ROLES = mutation("setContactRoles", f"contacts {CONTACT}")
CREATE_CONTACT_ROLE = mutation("createContactRole", f"contactRole {CONTACT_ROLE}")
UPDATE_CONTACT_ROLE = mutation("updateContactRole", f"contactRole {CONTACT_ROLE}")
DELETE_CONTACT_ROLE = mutation("deleteContactRole", "deletedId")
UPDATE_SETTINGS = mutation("updateSettings", f"settings {SETTINGS}")
UPDATE_PREFERENCES = mutation("updateCustomerPreferences", f"preferences {PREFERENCES}")
CREATE_WORKFLOW = mutation("createReminderWorkflow", f"reminderWorkflow {WORKFLOW}")
UPDATE_WORKFLOW = mutation("updateReminderWorkflow", f"reminderWorkflow {WORKFLOW}")
DELETE_WORKFLOW = mutation("deleteReminderWorkflow", "deletedId")
MOVE_CUSTOMER = mutation("updateCustomer", f"customer {FAMILY}")
CREATE_PURPOSE = mutation("createPurpose", f"purpose {PURPOSE}")
UPDATE_PURPOSE = mutation("updatePurpose", f"purpose {PURPOSE}")
DELETE_PURPOSE = mutation("deletePurpose", "deletedId")
ASSIGN_CONTACT = mutation("assignContact", f"assignment {ASSIGNMENT}")
UNASSIGN_CONTACT = mutation("unassignContact", "deletedId")
LINK_CONTACTS = mutation("linkContacts", f"contacts {CONTACT}")
UNLINK_CONTACT = mutation("unlinkContact", f"contact {CONTACT}")
CREATE_NOTE = mutation("createNote", f"note {NOTE}")
UPDATE_NOTE = mutation("updateNote", f"note {NOTE}")
DELETE_NOTE = mutation("deleteNote", "deletedId")
UPLOAD_DOCUMENT = mutation("uploadDocument", f"document {DOCUMENT}")
RENAME_DOCUMENT = mutation("renameDocument", f"document {DOCUMENT}")
DELETE_DOCUMENT = mutation("deleteDocument", "deletedId")
CREATE_SALES_DOCUMENT = mutation("createSalesDocument", f"salesDocument {SALES_DOCUMENT}")
UPDATE_SALES_DOCUMENT = mutation("updateSalesDocument", f"salesDocument {SALES_DOCUMENT}")
DELETE_SALES_DOCUMENT = mutation("deleteSalesDocument", "deletedId")
APPLY_CONTACT = mutation("applyContact", f"salesDocument {SALES_DOCUMENT}")
RELEASE = mutation("releaseSalesDocument", f"salesDocument {SALES_DOCUMENT}")
POST = mutation("postSalesDocument", f"salesDocument {SALES_DOCUMENT}")
VOID = mutation("voidSalesDocument", f"salesDocument {SALES_DOCUMENT}")
RECORD_PAYMENT = mutation("recordPayment", f"payment {PAYMENT} salesDocument {SALES_DOCUMENT}")
DELETE_PAYMENT = mutation("deletePayment", f"deletedId salesDocument {SALES_DOCUMENT}")
SET_ORDER_PASSWORD = mutation(
    "setOrderPassword", "contact { id revision orderPassword { setAt setBy { kind id name } } }"
)
SEND_COMMUNICATION = mutation("sendCommunication", f"communication {COMMUNICATION}")
RESEND_COMMUNICATION = mutation("resendCommunication", f"communication {COMMUNICATION}")
SEND_PASSWORD_LINK = mutation("sendPasswordLink", f"communication {COMMUNICATION}")
CREATE_TEMPLATE = mutation("createTemplate", f"template {TEMPLATE}")
UPDATE_TEMPLATE = mutation("updateTemplate", f"template {TEMPLATE}")
RESET_TEMPLATE = mutation("resetTemplate", f"template {TEMPLATE}")
DELETE_TEMPLATE = mutation("deleteTemplate", "deletedId")
CREATE_USER = mutation("createUser", f"user {USER}", BARE_STUB)
UPDATE_USER = mutation("updateUser", f"user {USER}", BARE_STUB)
END_SESSIONS = mutation("endSessions", "ended", BARE_STUB)
CREATE_USER_ROLE = mutation("createUserRole", f"userRole {USER_ROLE}", BARE_STUB)
UPDATE_USER_ROLE = mutation("updateUserRole", f"userRole {USER_ROLE}", BARE_STUB)
DELETE_USER_ROLE = mutation("deleteUserRole", "deletedId", BARE_STUB)
CREATE_API_KEY = mutation("createApiKey", f"apiKey {API_KEY} token", BARE_STUB)
REVOKE_API_KEY = mutation("revokeApiKey", f"apiKey {API_KEY}", BARE_STUB)
CHANGE_PASSWORD = mutation("changePassword", f"user {USER}", BARE_STUB)

PREVIEW_COMMUNICATION = """query ($input: SendCommunicationInput!) { previewCommunication(input: $input) {
  deliveries { contact { id } name email role field chosen reasons subject text html }
  attachments { name mediaType size sha256 document { id } }
  separate templateName suppressed warnings errors { code field message currentRevision retryAfter }
} }"""
READ_CUSTOMER = f"query ($id: ID!) {{ customer(id: $id) {CUSTOMER} }}"
READ_FAMILY = f"query ($id: ID!) {{ customer(id: $id) {FAMILY} }}"
READ_PREFERENCES = f"query ($id: ID!) {{ customer(id: $id) {{ preferences {PREFERENCES} }} }}"
READ_SETTINGS = f"{{ settings {SETTINGS} }}"
READ_CONTACT = f"query ($id: ID!) {{ contact(id: $id) {CONTACT} }}"
READ_CONTACTS = (
    f"query ($filter: ContactFilter) {{ contacts(first: 100, filter: $filter) {{ edges {{ node {CONTACT} }} }} }}"
)
CONTACT_ROLES = f"{{ contactRoles(first: 100) {{ totalCount edges {{ node {CONTACT_ROLE} }} }} }}"

TEMPLATES = f"""query ($filter: TemplateFilter) {{
  templates(first: 100, filter: $filter) {{ totalCount edges {{ node {TEMPLATE} }} }}
}}"""
PREVIEW_TEMPLATE = """query ($input: PreviewTemplateInput!) {
  previewTemplate(input: $input) { subject text html problems { field line message } }
}"""

HISTORY = f"""query ($filter: HistoryFilter, $first: Int, $after: String, $last: Int, $before: String) {{
  history(filter: $filter, first: $first, after: $after, last: $last, before: $before) {{
    totalCount edges {{ cursor node {STUB} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
  }}
}}"""
CUSTOMER_HISTORY = f"""query (
  $id: ID!, $filter: HistoryFilter, $first: Int, $after: String, $last: Int, $before: String
) {{
  customer(id: $id) {{
    history(filter: $filter, first: $first, after: $after, last: $last, before: $before) {{
      totalCount edges {{ cursor node {STUB} }}
      pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    }}
  }}
}}"""
