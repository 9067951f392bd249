"""The words of which the names in seeded databases are made."""

from __future__ import annotations

TRADES = (
    "Bakery",
    "Plumbing",
    "Logistics",
    "Software",
    "Textiles",
    "Printing",
    "Roofing",
    "Catering",
    "Optics",
    "Glas",
)
PLACES = ("Springfield", "Zürich", "Bristol", "Nantes", "Malmö", "Porto", "Graz", "Leiden", "Cork", "Łódź")
FIRST_NAMES = (
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Eva",
    "Farid",
    "Grace",
    "Hana",
    "Ivo",
    "José",
    "Kim",
    "Lena",
    "Mia",
    "Noël",
)
LAST_NAMES = (
    "Abel",
    "Baker",
    "Castillo",
    "Dupont",
    "Evans",
    "Fischer",
    "García",
    "Huber",
    "Ito",
    "Jansen",
    "Kaya",
    "Lind",
)
TITLES = ("Chief accountant", "Clerk", "Owner", "Controller", None)
