"""Addresses of the websockets."""

from typing import Any, cast

from django.urls import re_path

from sessions_app.edge.audio import audio
from sessions_app.edge.blendshapes import BlendshapeConsumer
from sessions_app.edge.console_socket import OverviewConsumer
from sessions_app.edge.signaling import SignalingConsumer
from sessions_app.edge.sockets import Nowhere

SESSION = r"(?P<session_id>ses_[0-9a-f]{32})"

websocket_urlpatterns = [
    re_path(rf"^ws/v1/sessions/{SESSION}/$", SignalingConsumer.as_asgi()),
    re_path(rf"^ws/v1/sessions/{SESSION}/blendshapes$", BlendshapeConsumer.as_asgi()),
    re_path(rf"^ws/v1/sessions/{SESSION}/audio/$", cast(Any, audio)),
    re_path(r"^ws/v1/console/overview/$", OverviewConsumer.as_asgi()),
    re_path("", Nowhere.as_asgi()),
]
