"""Addresses of the websockets."""

from django.urls import path, re_path

from sessions_app.edge.blendshapes import BlendshapeConsumer
from sessions_app.edge.signaling import SignalingConsumer
from sessions_app.edge.sockets import Nowhere

websocket_urlpatterns = [
    path("ws/v1/sessions/<uuid:session_id>/", SignalingConsumer.as_asgi()),
    path("ws/v1/sessions/<uuid:session_id>/blendshapes", BlendshapeConsumer.as_asgi()),
    re_path("", Nowhere.as_asgi()),
]
