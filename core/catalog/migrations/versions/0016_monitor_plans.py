"""How models are watched."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_OWN = "current_setting('plumbline.workspace', true) IN (workspace, '*')"


def upgrade() -> None:
    op.create_table(
        "monitorplan",
        sa.Column("model_id", sa.String(16), sa.ForeignKey("model.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE monitorplan ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE monitorplan FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_workspace ON monitorplan USING ({_OWN}) WITH CHECK ({_OWN})")


def downgrade() -> None:
    op.drop_table("monitorplan")
