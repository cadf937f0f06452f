"""A migration's way to put a tenant's table behind the second wall (`tenants.walls`)."""

from typing import Any

from django.db.migrations.operations.base import Operation

POLICY = "tenant_rows"
FUNCTION = """
CREATE OR REPLACE FUNCTION goassist_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN scope ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN scope::uuid END
  FROM (SELECT current_setting('goassist.scope', true) AS scope) AS setting
$$;
CREATE OR REPLACE FUNCTION goassist_everyone() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT COALESCE(current_setting('goassist.scope', true) = 'everyone', false)
$$;
"""
"""The scope of the statement under way: a tenant's id, or NULL; and whether it is all tenants. Safe in parallel: a
function that says nothing of it keeps every query to one core."""


class RowSecurity(Operation):
    """Row-level security, forced on the table's owner too: only rows of the scope's tenant can be read and written.

    `column` says whose a row is. With `lasting`, nobody changes a row, and only the scope of everyone takes one out
    (with its tenant). On SQLite nothing happens. The functions are asked in sub-selects: once a statement, not once a
    row.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str, column: str = "tenant_id", *, lasting: bool = False) -> None:
        self.model_name, self.column, self.lasting = model_name, column, lasting

    def state_forwards(self, app_label: str, state: Any) -> None: ...

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        table = self._table(app_label, schema_editor, to_state)
        allowed = f"(SELECT goassist_everyone()) OR {self.column} = (SELECT goassist_tenant())"
        schema_editor.execute(FUNCTION)
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        schema_editor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        if self.lasting:
            schema_editor.execute(f"CREATE POLICY {POLICY} ON {table} FOR SELECT USING ({allowed})")
            schema_editor.execute(f"CREATE POLICY {POLICY}_new ON {table} FOR INSERT WITH CHECK ({allowed})")
            schema_editor.execute(f"CREATE POLICY {POLICY}_gone ON {table} FOR DELETE USING (goassist_everyone())")
        else:
            schema_editor.execute(f"CREATE POLICY {POLICY} ON {table} USING ({allowed}) WITH CHECK ({allowed})")

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        table = self._table(app_label, schema_editor, from_state)
        for policy in (POLICY, f"{POLICY}_new", f"{POLICY}_gone"):
            schema_editor.execute(f"DROP POLICY IF EXISTS {policy} ON {table}")
        schema_editor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")

    def describe(self) -> str:
        return f"Row-level security on {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"row_security_{self.model_name.lower()}"

    def _table(self, app_label: str, schema_editor: Any, state: Any) -> str:
        name: str = state.apps.get_model(app_label, self.model_name)._meta.db_table
        return schema_editor.connection.ops.quote_name(name)
