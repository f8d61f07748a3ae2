"""The newest record of each audit log, so that records that are removed from its end are missed."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_OWN = "current_setting('plumbline.workspace', true) IN (workspace, '*')"


def upgrade() -> None:
    op.create_table(
        "audithead",
        sa.Column("workspace", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute("SELECT set_config('plumbline.workspace', '*', true)")
    op.execute(
        "INSERT INTO audithead (workspace, number, digest) SELECT workspace, number, digest FROM auditrecord AS newest "
        "WHERE number = (SELECT max(number) FROM auditrecord WHERE auditrecord.workspace = newest.workspace)"
    )
    if postgresql:
        op.execute("ALTER TABLE audithead ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE audithead FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_workspace ON audithead USING ({_OWN}) WITH CHECK ({_OWN})")


def downgrade() -> None:
    op.drop_table("audithead")
