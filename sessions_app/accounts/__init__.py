"""How people get in: logins, second factors, login sessions. allauth works; this room says how it is done here."""
