from django.apps import AppConfig


class SessionsAppConfig(AppConfig):
    name = "sessions_app"
    label = "sessions_app"
    verbose_name = "Console"

    def ready(self) -> None:
        from sessions_app.accounts import checks, log
        from sessions_app.tenants import walls
        from sessions_app.usage import deletions

        walls.install()
        log.install()
        checks.install()
        deletions.install()
