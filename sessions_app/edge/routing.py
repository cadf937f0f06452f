"""Addresses of the websockets."""

from typing import Any, cast

from django.urls import path, re_path

from sessions_app.edge.audio import audio
from sessions_app.edge.blendshapes import BlendshapeConsumer
from sessions_app.edge.signaling import SignalingConsumer
from sessions_app.edge.sockets import Nowhere

websocket_urlpatterns = [
    path("ws/v1/sessions/<uuid:session_id>/", SignalingConsumer.as_asgi()),
    path("ws/v1/sessions/<uuid:session_id>/blendshapes", BlendshapeConsumer.as_asgi()),
    path("ws/v1/sessions/<uuid:session_id>/audio/", cast(Any, audio)),
    re_path("", Nowhere.as_asgi()),
]
