"""Which column of a list means what: by its header in Indonesian or English, or by the operator's saved mapping."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dialer import mask
from dialer.errors import BadInput
from dialer.model import NumberKind

CUSTOM_MAX = 20  # columns
CUSTOM_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
HEADER_MAX = 100  # characters
IGNORE = "ignore"
STRICTNESS = (NumberKind.DEBTOR, NumberKind.CO_BORROWER, NumberKind.WORKPLACE, NumberKind.EMERGENCY)

# field -> how lists head the column, in Indonesian or English; compared without case, blanks and punctuation
HEADERS = {
    "person_id": "person_id id_nasabah no_nasabah nomor_nasabah nik ktp no_ktp customer_id id_customer cif debtor_id",
    "account": "account account_id akun no_akun no_rekening nomor_rekening no_kontrak nomor_kontrak contract loan_id"
    " id_pinjaman no_pinjaman",
    "name": "name nama nama_lengkap nama_nasabah full_name nama_debitur",
    "amount": "amount jumlah tagihan jumlah_tagihan total_tagihan nominal outstanding sisa_tagihan balance",
    "currency": "currency mata_uang",
    "due": "due_date due jatuh_tempo tanggal_jatuh_tempo tgl_jatuh_tempo",
    "days_past_due": "days_past_due dpd hari_keterlambatan hari_tunggakan umur_tunggakan overdue_days",
    "minimum": "minimum minimum_payment pembayaran_minimum minimal_bayar",
    "fee": "fee biaya biaya_penagihan",
    "incentive": "incentive insentif diskon discount keringanan potongan",
    "language": "language bahasa lang",
    "province": "province provinsi propinsi",
    "zone": "zone zona zona_waktu timezone time_zone",
    "city": "city kota kabupaten kota_kabupaten regency",
    "post_code": "post_code postcode postal_code kode_pos zip",
    "lender": "lender kreditur pemberi_pinjaman creditor perusahaan",
    "product": "product produk",
    "birth_date": "birth_date date_of_birth dob tanggal_lahir tgl_lahir",
    "priority": "priority prioritas",
    "score": "score skor nilai_skor",
    "expires": "expires valid_until berlaku_sampai tanggal_kedaluwarsa",
    "consent_calls": "consent_calls persetujuan_telepon",
    "consent_whereabouts": "consent_whereabouts persetujuan_kontak_darurat",
    "consent_other_hours": "consent_other_hours persetujuan_jam_lain",
    "consent_source": "consent_source sumber_persetujuan",
    "consent_date": "consent_date tanggal_persetujuan tgl_persetujuan",
}
PHONE_HEADERS = {
    NumberKind.DEBTOR: "phone telepon telp tlp hp no_hp nomor_hp no_telepon nomor_telepon no_telp handphone ponsel"
    " mobile whatsapp wa phone_number number nomor",
    NumberKind.CO_BORROWER: "co_borrower_phone telepon_pasangan hp_pasangan telepon_penjamin hp_penjamin",
    NumberKind.EMERGENCY: "emergency_phone emergency_contact emergency_number telepon_darurat hp_darurat kontak_darurat"
    " no_darurat econ",
    NumberKind.WORKPLACE: "work_phone office_phone workplace_phone telepon_kantor telp_kantor hp_kantor no_kantor",
}
# what our own reject file adds: read again without a word
REJECT_HEADERS = ("reject_line", "reject_column", "reject_value", "reject_reason", "reject_cure", "reject_row_lost")

_NOT_ALNUM = re.compile(r"[^a-z0-9]+")
_NUMBERED = re.compile(r"(.*?)([0-9]{1,2})$")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a list means what: field -> the list's own header; `phones` in order of calling."""

    fields: Mapping[str, str]
    phones: tuple[tuple[str, NumberKind], ...]
    all: tuple[str, ...]
    unknown: tuple[str, ...]  # not understood and not used
    custom: tuple[tuple[str, str], ...] = ()  # (header, name)
    constants: Mapping[str, str] = field(default_factory=dict)  # field -> what stands for an empty cell


def plain(name: str) -> str:
    """A header as it is compared: `No. HP` -> `nohp`."""
    return _NOT_ALNUM.sub("", name.casefold())


FIELDS = {plain(name): meaning for meaning, names in HEADERS.items() for name in (*names.split(), meaning)}
PHONES = {plain(name): kind for kind, names in PHONE_HEADERS.items() for name in names.split()}
_OURS = frozenset(REJECT_HEADERS)


def phone_column(name: str) -> tuple[int, NumberKind] | None:
    """`hp2` -> (2, debtor): place in the order of calling, and whose number."""
    if name in PHONES:
        return 1, PHONES[name]
    match = _NUMBERED.fullmatch(name)
    if match and match[1] in PHONES:
        return int(match[2]), PHONES[match[1]]
    return None


def read_header(
    names: Sequence[str], mapped: Mapping[str, str] | None = None, constants: Mapping[str, str] | None = None
) -> Columns:
    """Columns from the header line. `mapped`: header -> word, which decides where it names a column: a field, a phone
    header, custom:NAME (which a header may say itself), ignore. Raises BadInput where two columns mean the same,
    or none holds a number.
    """
    if strange := [name for name in names if not name.isprintable() or len(name) > HEADER_MAX]:
        raise BadInput(f"the header {listed(strange)} is no name of a column: use one line of readable text.")
    if len(set(names)) < len(names):
        raise BadInput("two columns have the same header: rename or remove one.")
    words = _by_name(names, mapped or {})
    found = _Found()
    for position, name in enumerate(names):
        if name not in _OURS:
            found.take(position, name, words.get(name, name), name in words)
    if not found.phones:
        raise BadInput(
            f"no column with telephone numbers among {listed(names)}: head it `telepon` or `phone`, or map it."
        )
    if len(found.custom) > CUSTOM_MAX:
        raise BadInput(f"{len(found.custom)} custom columns; keep at most {CUSTOM_MAX}.")
    phones = tuple((name, kind) for _, _, _, name, kind in sorted(found.phones))
    unknown, custom = tuple(found.unknown), tuple((name, word) for word, name in found.custom.items())
    return Columns(found.fields, phones, tuple(names), unknown, custom, dict(constants or {}))


class _Found:
    """What the columns looked at so far mean."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.phones: list[tuple[int, int, int, str, NumberKind]] = []
        self.custom: dict[str, str] = {}
        self.unknown: list[str] = []

    def take(self, position: int, name: str, word: str, mapped: bool) -> None:
        """`word` is the column's own header, or what the mapping says of it."""
        bare = plain(word)
        if mapped and word == IGNORE:
            return
        if word.startswith("custom:") and CUSTOM_NAME.fullmatch(word[7:]):
            self._once(self.custom, word[7:], name)
        elif bare in FIELDS:
            self._once(self.fields, FIELDS[bare], name)
        elif (phone := phone_column(bare)) is not None:
            self.phones.append((STRICTNESS.index(phone[1]), phone[0], position, name, phone[1]))
        else:
            self.unknown.append(name)

    @staticmethod
    def _once(found: dict[str, str], meaning: str, name: str) -> None:
        if meaning in found:
            raise BadInput(f"columns {found[meaning]!r} and {name!r} both mean {meaning}: keep one of them, or map it.")
        found[meaning] = name


def _by_name(names: Sequence[str], mapped: Mapping[str, str]) -> dict[str, str]:
    """The mapping by the list's own headers; the same header with other case or punctuation is the same."""
    bare: dict[str, list[str]] = {}
    for name in names:
        bare.setdefault(plain(name), []).append(name)
    found: dict[str, str] = {}
    missing = []
    for header, word in mapped.items():
        fitting = [header] if header in names else bare.get(plain(header), []) if plain(header) else []
        if len(fitting) > 1:
            raise BadInput(f"the mapping's column {listed([header])} may be {listed(fitting)}: write it as the list.")
        if not fitting and word != IGNORE:
            missing.append(header)
        found |= dict.fromkeys(fitting, word)
    if missing:
        raise BadInput(f"the mapping names {listed(missing)}, the list has {listed(names)}: correct one of them.")
    return found


def word_fault(word: str) -> str:
    """Why the right side of a mapping's line means nothing; empty: it means something."""
    if word == IGNORE or plain(word) in FIELDS or phone_column(plain(word)) is not None:
        return ""
    if word.startswith("custom:"):
        return "" if CUSTOM_NAME.fullmatch(word[7:]) else "custom: takes a name of a-z, 0-9 and _, at most 40"
    return f"unknown field; use one of {', '.join(HEADERS)}, phone, phone2, ..., custom:NAME or ignore"


def word_of(columns: Columns) -> dict[str, str]:
    """Header -> word, as a mapping file holds it."""
    words = {name: word for word, name in columns.fields.items()}
    for place, (name, kind) in enumerate(columns.phones, 1):
        words[name] = f"{PHONE_HEADERS[kind].split()[0]}{place}"
    words |= {name: f"custom:{word}" for name, word in columns.custom}
    return {name: words.get(name, IGNORE) for name in columns.all if name not in _OURS}


def listed(names: Sequence[str]) -> str:
    """Headers as an error quotes them: somebody may have left the header line out."""
    return ", ".join(mask.mask_text(ascii(name[:30])) for name in names[:12])
