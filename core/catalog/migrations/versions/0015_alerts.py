"""Alerts of models, the channels that they are sent through, and what was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_OWN = "current_setting('plumbline.workspace', true) IN (workspace, '*')"
_TABLES = ("alert", "alertchannel", "alertdelivery")


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("model_id", sa.String(16), sa.ForeignKey("model.id", ondelete="CASCADE"), nullable=False),
        sa.Column("run_id", sa.String(16), nullable=False),
        sa.Column("event", sa.String(200), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("raised_at", sa.Float(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("muted_until", sa.Float()),
        sa.Column("decided_by", sa.String(200), nullable=False),
        sa.Column("decided_at", sa.Float()),
        sa.Column("decided_why", sa.String(), nullable=False),
        sa.UniqueConstraint("workspace", "model_id", "event"),
    )
    op.create_index("ix_alert_model_id", "alert", ["model_id"])
    op.create_index("ix_alert_state", "alert", ["workspace", "state", "raised_at"])
    op.create_table(
        "alertchannel",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("credential", sa.String(64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("model_ids", sa.JSON(), nullable=False),
        sa.Column("min_level", sa.String(16), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.UniqueConstraint("workspace", "name"),
    )
    op.create_index("ix_alertchannel_workspace", "alertchannel", ["workspace"])
    op.create_table(
        "alertdelivery",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("alert_id", sa.String(16), sa.ForeignKey("alert.id", ondelete="CASCADE"), nullable=False),
        sa.Column("model_id", sa.String(16), sa.ForeignKey("model.id", ondelete="CASCADE"), nullable=False),
        sa.Column("channel_id", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Float(), nullable=False),
        sa.Column("delivered_at", sa.Float()),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.UniqueConstraint("alert_id", "channel_id"),
    )
    op.create_index("ix_alertdelivery_model_id", "alertdelivery", ["model_id"])
    op.create_index("ix_alertdelivery_channel_id", "alertdelivery", ["channel_id"])
    op.create_index("ix_alertdelivery_due", "alertdelivery", ["state", "next_at"])
    if op.get_bind().dialect.name == "postgresql":
        for name in _TABLES:
            op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY own_workspace ON {name} USING ({_OWN}) WITH CHECK ({_OWN})")


def downgrade() -> None:
    for name in reversed(_TABLES):
        op.drop_table(name)
