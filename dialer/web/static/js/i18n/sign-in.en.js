export default {
  "title": "Sign in – Santun",
  "hello": "Welcome",
  "hello.more": "Please sign in to begin.",
  "name": "User name",
  "password": "Password",
  "in": "Sign in",
  "show": "Show password",
  "need.both": "Enter your user name and password.",

  "first": "Choose your password",
  "first.more": "The one-time password was for the first sign-in only. Choose a new one that nobody else knows.",
  "new": "New password",
  "repeat": "New password again",
  "rule.length": "At least 12 characters",
  "rule.same": "Both are the same",
  "keep": "Save and go on",

  "enrol": "Set up your code generator",
  "enrol.more": "Scan this with a code generator on your phone, then type the six digits it shows.",
  "enrol.by_hand": "Cannot scan? Type this key:",
  "enrol.picture": "QR code for a code generator",

  "code": "Code from your phone",
  "code.more": "Open your code generator and type the six digits for Santun.",
  "code.name": "Six-digit code",
  "code.send": "Continue",
  "other": "Sign in as somebody else",

  "problem.wrong": "User name or password is wrong.",
  "problem.wrong_code": "This code is no longer the one. Type the one that is showing now.",
  "problem.too_many": "Too many tries. Please wait a second.|Too many tries. Please wait {n} seconds.",
  "problem.one_time_over": "This one-time password has run out. Ask an administrator for a new one.",
  "foot": "Collecting with courtesy."
};
