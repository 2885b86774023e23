export default {
  "title": "Masuk – Santun",
  "hello": "Selamat datang",
  "hello.more": "Silakan masuk untuk mulai bekerja.",
  "name": "Nama pengguna",
  "password": "Kata sandi",
  "in": "Masuk",
  "show": "Tampilkan kata sandi",
  "need.both": "Isi nama pengguna dan kata sandi.",

  "first": "Buat kata sandi Anda",
  "first.more": "Kata sandi sekali pakai hanya untuk masuk pertama kali. Buatlah yang baru, yang hanya Anda ketahui.",
  "new": "Kata sandi baru",
  "repeat": "Ulangi kata sandi baru",
  "rule.length": "Sedikitnya 12 karakter",
  "rule.same": "Keduanya sama",
  "keep": "Simpan dan lanjutkan",

  "enrol": "Pasang pembuat kode",
  "enrol.more": "Pindai kode ini dengan aplikasi pembuat kode di ponsel Anda, lalu ketikkan enam angka yang tampil.",
  "enrol.by_hand": "Tidak bisa memindai? Ketikkan kunci ini:",
  "enrol.picture": "Kode QR untuk aplikasi pembuat kode",

  "code": "Kode dari ponsel Anda",
  "code.more": "Buka aplikasi pembuat kode, lalu ketikkan enam angka untuk Santun.",
  "code.name": "Kode enam angka",
  "code.send": "Lanjutkan",
  "other": "Masuk sebagai orang lain",

  "problem.wrong": "Nama pengguna atau kata sandi salah.",
  "problem.wrong_code": "Kode ini sudah tidak berlaku. Ketikkan kode yang sedang tampil.",
  "problem.too_many": "Terlalu banyak percobaan. Mohon tunggu {n} detik.",
  "problem.one_time_over": "Kata sandi sekali pakai ini sudah habis masanya. Mintalah yang baru kepada administrator.",
  "foot": "Menagih dengan santun."
};
