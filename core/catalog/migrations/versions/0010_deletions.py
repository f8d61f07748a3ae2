"""Deletions that can be undone: hidden rows, and names that are unique among those that are not."""

import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_OWN = "current_setting('plumbline.workspace', true) IN (workspace, '*')"
_DELETABLE = ("dataset", "run", "model", "modelversion", "savedpipeline", "schedule")
_UNIQUE = {
    "dataset": ("workspace", "fingerprint"),
    "model": ("workspace", "name"),
    "modelversion": ("model_id", "run_id"),
    "savedpipeline": ("workspace", "name"),
}
_NAMES = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}  # SQLite keeps no names of constraints that were given none


def upgrade() -> None:
    _see_all_rows()
    op.create_table(
        "deletion",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("row_id", sa.String(16), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
    )
    op.create_index("ix_deletion_workspace", "deletion", ["workspace"])
    op.create_index("ix_deletion_at", "deletion", ["at"])
    for table in _DELETABLE:
        op.add_column(table, sa.Column("deletion_id", sa.String(16)))
        op.create_index(f"ix_{table}_deletion_id", table, ["deletion_id"])
    for table, columns in _UNIQUE.items():
        with op.batch_alter_table(table, naming_convention=_NAMES) as batch:
            batch.drop_constraint(_unique_name(table, columns), type_="unique")
        shown = sa.text("deletion_id IS NULL")
        name = f"uq_{table}_{'_'.join(columns)}_shown"
        op.create_index(name, table, columns, unique=True, sqlite_where=shown, postgresql_where=shown)
    _name_files()
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE deletion ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE deletion FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_workspace ON deletion USING ({_OWN}) WITH CHECK ({_OWN})")


def _see_all_rows() -> None:
    """Let the statements of this transaction see the rows of all workspaces."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT set_config('plumbline.workspace', '*', true)")


def _unique_name(table: str, columns: tuple[str, ...]) -> str:
    joined = "_".join(columns)
    return f"{table}_{joined}_key" if op.get_bind().dialect.name == "postgresql" else f"uq_{table}_{joined}"


def _name_files() -> None:
    """Note which contents the settings of earlier runs and schedules of pipelines name."""
    connection = op.get_bind()
    for table in ("run", "schedule"):
        rows = connection.execute(sa.text(f"SELECT id, workspace, settings FROM {table} WHERE task = 'pipeline'")).all()
        for row_id, workspace, settings in rows:
            text = settings if isinstance(settings, str) else json.dumps(settings)
            for digest in sorted(set(re.findall(r'"([0-9a-f]{64})"', text))):
                connection.execute(
                    sa.text(
                        "INSERT INTO filereference (owner_id, digest, workspace) VALUES (:owner, :digest, :workspace)"
                    ),
                    {"owner": row_id, "digest": digest, "workspace": workspace},
                )


def downgrade() -> None:
    _see_all_rows()
    for table in _DELETABLE:
        op.execute(f"DELETE FROM {table} WHERE deletion_id IS NOT NULL")
    for table, columns in _UNIQUE.items():
        op.drop_index(f"uq_{table}_{'_'.join(columns)}_shown", table)
        with op.batch_alter_table(table) as batch:
            batch.create_unique_constraint(_unique_name(table, columns), list(columns))
    for table in _DELETABLE:
        op.drop_index(f"ix_{table}_deletion_id", table)
        with op.batch_alter_table(table) as batch:
            batch.drop_column("deletion_id")
    for table in ("run", "schedule"):
        op.execute(f"DELETE FROM filereference WHERE owner_id IN (SELECT id FROM {table})")
    op.drop_table("deletion")
