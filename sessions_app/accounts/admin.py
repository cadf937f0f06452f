"""allauth registers pages of its own for addresses, second factors and login sessions: they know no tenant and no audit
log, and show what belongs to people alone. What operators need is on a person's page.
"""

from allauth.account import admin as addresses
from allauth.account.models import EmailAddress
from allauth.mfa import admin as factors
from allauth.mfa.models import Authenticator
from allauth.usersessions import admin as logins
from allauth.usersessions.models import UserSession
from django.contrib import admin

REGISTER_FIRST = (addresses, factors, logins)
"""By being imported; what is not there yet cannot be taken away."""

for model in (EmailAddress, Authenticator, UserSession):
    admin.site.unregister(model)
