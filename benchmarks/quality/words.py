"""Words from which the clean tables are made, with the traps that careless checks fall into."""

from __future__ import annotations

FIRST_NAMES = ["Anna", "Ben", "Carla", "David", "Elena", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Karin", "Luca", "Maja", "Nils", "Olga", "Paul", "Rosa", "Sven", "Tina", "Uwe", "Vera", "Wim", "Xenia", "Yara", "Zoë", "José", "Zoé", "Ângela", "Jürgen", "Søren", "Łukasz", "François", "Chloë", "Amélie", "Nan", "Mai", "Li", "Bo", "Jo", "Anne", "Ana", "Ann", "Marie", "Maria", "Mario", "Marta", "Martha", "Eric", "Erik", "Hanna", "Hannah", "Sara", "Sarah", "Jan", "Jane", "Mohammed", "Muhammad"]  # fmt: skip
SURNAMES = ["Smith", "Müller", "Rossi", "Okafor", "Null", "None", "Na", "Lee", "Ng", "Nguyen", "Kowalski", "Souza", "García", "Martínez", "O'Neill", "O'Brien", "McDonald", "MacLeod", "Schmidt", "Schmitt", "Meyer", "Meier", "Maier", "Mayer", "Jensen", "Hansen", "Hanson", "Larsen", "Larson", "Peterson", "Petersen", "Nowak", "Novak", "Silva", "Santos", "Costa", "Dubois", "Lefèvre", "Moreau", "Bianchi", "Greco", "Tanaka", "Sato", "Suzuki", "Kim", "Park", "Test", "Black", "White", "Young", "King", "Brown", "Browne", "Clark", "Clarke", "Wright", "Thompson", "Thomson", "Philips", "Phillips", "Vu"]  # fmt: skip
CITIES = {
    "Berlin": ("DE", "10115", 52.52, 13.405),
    "Hamburg": ("DE", "20095", 53.551, 9.994),
    "München": ("DE", "80331", 48.137, 11.575),
    "Köln": ("DE", "50667", 50.938, 6.96),
    "Dresden": ("DE", "01067", 51.05, 13.737),
    "Leipzig": ("DE", "04109", 51.34, 12.375),
    "Bern": ("DE", "30159", 52.375, 9.732),
    "Essen": ("DE", "45127", 51.455, 7.011),
    "Bonn": ("DE", "53111", 50.737, 7.098),
    "Mannheim": ("DE", "68159", 49.487, 8.466),
    "Windhoek": ("NA", "90210", 48.8, 9.2),
}
COUNTRIES = ["DE"] * 20 + [
    "AT",
    "CH",
    "FR",
    "NL",
    "BE",
    "IT",
    "ES",
    "GB",
    "US",
    "CA",
    "PL",
    "CZ",
    "DK",
    "SE",
    "NO",
    "FI",
    "PT",
    "IE",
    "NA",
    "IN",
    "JP",
    "BR",
]
SEGMENTS = ["Retail"] * 30 + ["Business"] * 14 + ["Public sector"] * 5 + ["None"] * 3 + ["Partner"]
DEPARTMENTS = (
    ["Engineering"] * 12 + ["Finance"] * 8 + ["Marketing"] * 7 + ["Support"] * 9 + ["Legal", "Sales"]
)
TITLES = [
    "Engineer", "Senior Engineer", "Accountant", "Analyst", "Manager", "Team Lead", "Intern", "Assistant I",
    "Assistant II", "Assistant III", "Consultant A", "Consultant B", "Director",
]  # fmt: skip
COLOURS = ["black"] * 9 + ["white"] * 7 + ["red"] * 4 + ["blue"] * 5 + ["green", "grey", "beige", "n/a-blue"]
STATUSES = ["shipped"] * 40 + ["open"] * 12 + ["cancelled"] * 5 + ["returned"] * 3 + ["lost"]
CHANNELS = ["web"] * 6 + ["shop"] * 3 + ["phone"] + ["partner"]
GOODS = ["Desk", "Mug", "Chair", "Lamp", "Shelf", "Sofa", "Table", "Bed", "Rug", "Clock"]
CATEGORIES = ["Furniture"] * 5 + ["Kitchen"] * 4 + ["Lighting"] * 3 + ["Textiles"] * 2 + ["Garden"]
OPERATORS = ["Nordwind GmbH"] * 6 + ["Stadtwerke Süd"] * 5 + ["Meteo AG"] * 3 + ["R&D Lab"] + ["City of Ulm"]
AGENTS = ["Firefox/121.0", "Chrome/120.0", "Safari/17.2", "curl/8.4.0", "Edge/120.0"]
PATHS = ["/", "/login", "/cart", "/checkout", "/products/{n}", "/search?q={w}", "/help/faq"]
DIAGNOSES = ["E11.9", "I10", "J45.0", "M54.5", "F32.1", "K21.9", "N39.0", "I25.1", "Z00.0", "J18.9"]
BLOOD_TYPES = ["0+"] * 37 + ["A+"] * 36 + ["B+"] * 8 + ["AB+"] * 3 + ["0-"] * 7 + ["A-"] * 6 + ["B-", "AB-"]
SUBJECTS = ["Delivery", "The customer", "Our driver", "The parcel", "A neighbour", "The invoice", "She", "He"]
VERBS = ["called", "was late", "left a note", "asked for a refund", "was happy", "paid twice", "is waiting"]
ENDS = [
    "on Monday.", "again", "– see ticket.", "because the door was closed.", "at 9:30.", "(twice!)", "today",
    "and wrote to info@example.org.", "for 20 €.", "without any reason?", "in the café.",
]  # fmt: skip
