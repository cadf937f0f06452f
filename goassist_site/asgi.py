"""The ASGI application: HTTP to Django, websockets to the edge's consumers (which check token and Origin)."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goassist_site.settings")
http = get_asgi_application()

# Consumers import models, which are there only now.
from sessions_app.edge.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(websocket_urlpatterns)})
