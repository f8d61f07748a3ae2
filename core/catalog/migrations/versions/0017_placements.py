"""Where runs work: what they need, the engine's job, the node; the end of the log of one that works elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_OWN = "current_setting('plumbline.workspace', true) IN (workspace, '*')"


def _columns() -> list[sa.Column]:
    return [
        sa.Column("cpus", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("gpus", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("needs_mb", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("engine", sa.String(300), nullable=False, server_default=""),
        sa.Column("handle", sa.String(64), nullable=False, server_default=""),
        sa.Column("placed_at", sa.Float()),
        sa.Column("placements", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failed_placements", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("node", sa.String(100), nullable=False, server_default=""),
    ]


def upgrade() -> None:
    with op.batch_alter_table("run") as table:
        for column in _columns():
            table.add_column(column)
    named = sa.text("handle <> ''")
    op.create_index("ix_run_handle", "run", ["handle"], sqlite_where=named, postgresql_where=named)
    op.create_table(
        "runlog",
        sa.Column("run_id", sa.String(16), sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE runlog ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE runlog FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_workspace ON runlog USING ({_OWN}) WITH CHECK ({_OWN})")


def downgrade() -> None:
    op.drop_table("runlog")
    op.drop_index("ix_run_handle", "run")
    for column in reversed(_columns()):  # not in a batch, which makes the table anew and loses its rows' parts
        op.drop_column("run", column.name)
