"""Workspaces, their people, invitations, what people did; who started a run. PostgreSQL keeps workspaces apart."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_APPEND_ONLY = "records of the audit log are never changed"
_OWN = "current_setting('plumbline.workspace', true) IN (workspace, '*')"


def upgrade() -> None:
    with op.batch_alter_table("run") as table:
        table.add_column(sa.Column("who", sa.String(200), nullable=False, server_default=""))

    op.create_table(
        "workspace",
        sa.Column("workspace", sa.String(64), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("two_people", sa.Boolean(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float()),
    )
    op.create_index("ix_workspace_expires_at", "workspace", ["expires_at"])

    op.create_table(
        "membership",
        sa.Column("workspace", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(200), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
    )
    op.create_index("ix_membership_person", "membership", ["person"])

    op.create_table(
        "invitation",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("accepted_by", sa.String(200), nullable=False),
        sa.Column("accepted_at", sa.Float()),
        sa.Column("withdrawn_at", sa.Float()),
    )
    op.create_index("ix_invitation_workspace", "invitation", ["workspace"])

    op.create_table(
        "auditrecord",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.UniqueConstraint("workspace", "number"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_APPEND_ONLY}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON auditrecord FOR EACH ROW "
            "EXECUTE FUNCTION refuse_change()"
        )
        for name in _tables():
            op.execute(f'ALTER TABLE "{name}" ENABLE ROW LEVEL SECURITY')
            op.execute(f'ALTER TABLE "{name}" FORCE ROW LEVEL SECURITY')  # for the owner of the tables, too
            op.execute(f'CREATE POLICY own_workspace ON "{name}" USING ({_OWN}) WITH CHECK ({_OWN})')
    else:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER append_only_{action.lower()} BEFORE {action} ON auditrecord "
                f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in _tables():
            op.execute(f'DROP POLICY own_workspace ON "{name}"')
            op.execute(f'ALTER TABLE "{name}" NO FORCE ROW LEVEL SECURITY')
            op.execute(f'ALTER TABLE "{name}" DISABLE ROW LEVEL SECURITY')
    for name in ("auditrecord", "invitation", "membership", "workspace"):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
    with op.batch_alter_table("run") as table:
        table.drop_column("who")


def _tables() -> list[str]:
    """Return the tables whose rows belong to a workspace."""
    inspector = sa.inspect(op.get_bind())
    names = inspector.get_table_names()
    return [name for name in names if "workspace" in {column["name"] for column in inspector.get_columns(name)}]
