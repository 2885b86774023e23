"""Invented debtors: a list like a lender's, whose numbers tell the carrier's subscribers how to behave."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from dialer.demo.carrier import DELAY_MAX_S, number

# All invented debtors who key a secret share one birthday, so that the carrier's subscribers know what to key.
BIRTH_DATE = date(1990, 5, 17)
DELAY_MEDIAN_S = 3.0
DISCOUNT_EACH = 3  # of so many one may pay less for paying soon
DELAY_SIGMA = 0.6  # lognormal: most answer soon, some late

# Of a thousand. They answer more readily than real debtors do, so that four minutes show something: ahead of its agents
# the pacer dials only after some 35 answers without one abandoned (3 % of fewer is less than one).
FOR_AGENTS: Mapping[str, int] = {
    "human": 420,
    "hangs_up_later": 100,
    "hangs_up_soon": 20,
    "hangs_up_at_once": 1,
    "long_dial_delay": 19,
    "listens": 15,
    "voicemail": 60,
    "rings_out": 150,
    "busy": 70,
    "invalid": 40,
    "congested": 20,
    "refuses": 25,
    "announcement": 40,
    "dead_air": 20,
}
FOR_IVR: Mapping[str, int] = {
    "keys_right": 180,
    "keys_offer": 90,
    "keys_agent": 110,
    "keys_wrong": 70,
    "keys_too_late": 60,
    "keys_none": 70,
    "keys_wrong_person": 60,
    "hangs_up_soon": 40,
    "hangs_up_at_once": 15,
    "voicemail": 60,
    "rings_out": 200,
    "busy": 90,
    "invalid": 60,
}
_NAMES = (
    "Budi Santoso", "Siti Rahayu", "Agus Wijaya", "Dewi Lestari", "Eko Prasetyo", "Rina Marlina", "Joko Susilo",
    "Ayu Kartika", "Hendra Gunawan", "Maya Sari", "Rizky Pratama", "Nur Aini", "Dian Permata", "Bayu Nugroho",
    "Putri Handayani", "Yusuf Hidayat", "Wulan Safitri", "Adi Saputra", "Fitri Amelia", "Bambang Irawan",
)  # fmt: skip
_PROVINCES = ("DKI Jakarta", "Jawa Barat", "Jawa Timur", "Bali", "Sulawesi Selatan", "Papua", "Sumatera Utara", "")
_PRODUCTS = ("cicilan motor", "pinjaman tunai", "kartu kredit", "cicilan ponsel")


@dataclass(frozen=True, slots=True)
class Invented:
    """One row and what its subscriber will do."""

    row: Mapping[str, str]
    behaviour: str


def invent(count: int, mix: Mapping[str, int], seed: int, today: date, first_serial: int = 0) -> Iterator[Invented]:
    """`count` debtors, the same for the same seed; `mix` is behaviour -> weight."""
    chance = random.Random(f"{seed} {first_serial}")
    behaviours = chance.choices(list(mix), weights=list(mix.values()), k=count)
    for offset, behaviour in enumerate(behaviours):
        delay_s = min(DELAY_MAX_S / 2, max(0.5, DELAY_MEDIAN_S * chance.lognormvariate(0.0, DELAY_SIGMA)))
        serial = first_serial + offset
        row = {
            "id_nasabah": f"N{serial:06d}",
            "no_kontrak": f"K-{serial:06d}",
            "nama": chance.choice(_NAMES),
            "telepon": number(behaviour, serial, delay_s),
            "jumlah_tagihan": _rupiah(owed := chance.randrange(150, 9000) * 1000),
            "diskon": _rupiah(owed // 10) if serial % DISCOUNT_EACH == 0 else "",
            "jatuh_tempo": (today - timedelta(days=chance.randrange(-3, 60))).isoformat(),
            "tanggal_lahir": BIRTH_DATE.isoformat(),
            "provinsi": chance.choice(_PROVINCES),
            "produk": chance.choice(_PRODUCTS),
            "kreditur": "Koperasi Contoh",
        }
        yield Invented(row, behaviour)


def _rupiah(amount: int) -> str:
    return f"Rp{amount:,}".replace(",", ".")


def keys(today: date) -> Mapping[str, str]:
    """What the subscribers press, in the carrier's own notation (demo/carrier.py): steps joined by `-`."""
    secret = f"{BIRTH_DATE:%d%m%Y}"
    pay_on = today + timedelta(days=3)
    return {
        "keys_right": f"1-{secret}-2-3-{pay_on:%d%m}-1",
        "keys_offer": f"1-{secret}-3-2-1-1",
        "keys_agent": f"1-{secret}-0",
        "keys_wrong": "1-00000000-11111111-22222222",
        "keys_too_late": f"w12-1-{secret}-4-1",
        "keys_wrong_person": "9-1",
    }
