"""Promotions that a second person confirms, rules and choice of a workspace, and whose turn it is in the queue."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_OWN = "current_setting('plumbline.workspace', true) IN (workspace, '*')"
_TABLES = ("promotion", "queueturn")


def upgrade() -> None:
    op.create_table(
        "promotion",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("model_id", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("previous", sa.Integer()),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(200), nullable=False),
        sa.Column("decided_at", sa.Float()),
        sa.Column("decided_why", sa.String(), nullable=False),
    )
    op.create_index("ix_promotion_model_id", "promotion", ["model_id"])
    waits = sa.text("state = 'open'")
    op.create_index(
        "uq_promotion_open", "promotion", ["model_id"], unique=True, sqlite_where=waits, postgresql_where=waits
    )
    op.create_table(
        "queueturn",
        sa.Column("workspace", sa.String(64), primary_key=True),
        sa.Column("lane", sa.String(8), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
    )
    op.add_column("workspace", sa.Column("needs_reason", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("membership", sa.Column("chosen_at", sa.Float()))
    op.add_column("modelevent", sa.Column("confirmed_by", sa.String(200), nullable=False, server_default=""))
    op.create_index("ix_auditrecord_who", "auditrecord", ["workspace", "action", "who", "at"])
    if op.get_bind().dialect.name == "postgresql":
        for name in _TABLES:
            op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY own_workspace ON {name} USING ({_OWN}) WITH CHECK ({_OWN})")


def downgrade() -> None:
    op.drop_index("ix_auditrecord_who", "auditrecord")
    for table, column in (("modelevent", "confirmed_by"), ("membership", "chosen_at"), ("workspace", "needs_reason")):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
    for name in _TABLES:
        op.drop_table(name)
