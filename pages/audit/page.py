"""The Audit log page: what people did in the workspace. Navigation has it for admins alone."""

from core.catalog import audit
from pages._ui import frame, header
from pages.audit import chain, filters, records

access = frame.access()
header.show("Audit log", "What people did in this workspace, the newest first. Records are added and never changed.")
chain.show()
wanted = filters.show(audit.people(access=access))
records.show(wanted)
