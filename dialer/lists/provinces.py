"""The 38 provinces of Indonesia and their zones: WIB (UTC+7), WITA (+8), WIT (+9), none with daylight saving time.

Source: Keppres 41/1987 on the zones; UU 14, 15, 16 and 29/2022 on the four new provinces of Papua.
"""

import re
from functools import lru_cache

WIB, WITA, WIT = "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"

ZONE_NAMES = {"wib": WIB, "wita": WITA, "wit": WIT}

PROVINCES = {
    WIB: (
        "aceh", "sumatera utara", "sumatera barat", "riau", "kepulauan riau", "jambi", "sumatera selatan", "bengkulu",
        "lampung", "kepulauan bangka belitung", "dki jakarta", "jawa barat", "banten", "jawa tengah",
        "di yogyakarta", "jawa timur", "kalimantan barat", "kalimantan tengah",
    ),
    WITA: (
        "bali", "nusa tenggara barat", "nusa tenggara timur", "kalimantan selatan", "kalimantan timur",
        "kalimantan utara", "sulawesi utara", "gorontalo", "sulawesi tengah", "sulawesi barat", "sulawesi selatan",
        "sulawesi tenggara",
    ),
    WIT: (
        "maluku", "maluku utara", "papua", "papua barat", "papua selatan", "papua tengah", "papua pegunungan",
        "papua barat daya",
    ),
}  # fmt: skip

# other ways in which lists write them -> the name above
ALIASES = {
    "nad": "aceh", "nanggroe aceh darussalam": "aceh", "daerah istimewa aceh": "aceh",
    "sumut": "sumatera utara", "north sumatra": "sumatera utara",
    "sumbar": "sumatera barat", "west sumatra": "sumatera barat",
    "sumsel": "sumatera selatan", "south sumatra": "sumatera selatan",
    "kepri": "kepulauan riau", "riau islands": "kepulauan riau",
    "babel": "kepulauan bangka belitung", "bangka belitung": "kepulauan bangka belitung",
    "bangka belitung islands": "kepulauan bangka belitung",
    "jakarta": "dki jakarta", "dki": "dki jakarta", "dkj": "dki jakarta", "daerah khusus jakarta": "dki jakarta",
    "daerah khusus ibukota jakarta": "dki jakarta", "dk jakarta": "dki jakarta",
    "jabar": "jawa barat", "west java": "jawa barat",
    "jateng": "jawa tengah", "central java": "jawa tengah",
    "jatim": "jawa timur", "east java": "jawa timur",
    "diy": "di yogyakarta", "yogyakarta": "di yogyakarta", "daerah istimewa yogyakarta": "di yogyakarta",
    "jogja": "di yogyakarta", "jogjakarta": "di yogyakarta", "d i yogyakarta": "di yogyakarta",
    "kalbar": "kalimantan barat", "west kalimantan": "kalimantan barat",
    "kalteng": "kalimantan tengah", "central kalimantan": "kalimantan tengah",
    "kalsel": "kalimantan selatan", "south kalimantan": "kalimantan selatan",
    "kaltim": "kalimantan timur", "east kalimantan": "kalimantan timur",
    "kaltara": "kalimantan utara", "north kalimantan": "kalimantan utara",
    "ntb": "nusa tenggara barat", "west nusa tenggara": "nusa tenggara barat",
    "ntt": "nusa tenggara timur", "east nusa tenggara": "nusa tenggara timur",
    "sulut": "sulawesi utara", "north sulawesi": "sulawesi utara",
    "sulteng": "sulawesi tengah", "central sulawesi": "sulawesi tengah",
    "sulbar": "sulawesi barat", "west sulawesi": "sulawesi barat",
    "sulsel": "sulawesi selatan", "south sulawesi": "sulawesi selatan",
    "sultra": "sulawesi tenggara", "southeast sulawesi": "sulawesi tenggara",
    "malut": "maluku utara", "north maluku": "maluku utara",
    "west papua": "papua barat", "south papua": "papua selatan", "central papua": "papua tengah",
    "highland papua": "papua pegunungan", "southwest papua": "papua barat daya",
}  # fmt: skip

# A post code's first digit names an island or two; 7 (Kalimantan) and 9 (Sulawesi to Papua) lie in two zones.
POST_ZONES = {"1": WIB, "2": WIB, "3": WIB, "4": WIB, "5": WIB, "6": WIB, "8": WITA}

_ZONES = {name: zone for zone, names in PROVINCES.items() for name in names}
_NOT_LETTERS = re.compile(r"[^a-z]+")


@lru_cache(maxsize=1024)
def zone_of(province: str) -> str:
    """IANA zone of a province, however it is written; empty where it is not known: a zone is never guessed."""
    name = _NOT_LETTERS.sub(" ", province.casefold()).strip()
    name = name.removeprefix("provinsi ").removeprefix("propinsi ").removeprefix("prov ")
    name = name.replace("sumatra", "sumatera") if name not in ALIASES else name
    return _ZONES.get(ALIASES.get(name, name), "")


def zone_of_post_code(code: str) -> str:
    """IANA zone of five digits; empty where the first of them leaves it open."""
    return POST_ZONES.get(code[:1], "")
