"""Who may do what with the knowledge base: what is shown and done beyond the desk's own rule, by which viewers read and
agents send (`agent_view`). Who may read what as a reader is said in `knowledge.visibility`.

Viewers read what agents read. Agents write, publish, moderate: who knows the answer gives it. Admins set up the
categories, and remove for good.
"""

from helpdesk.customers import permissions

may_write = permissions.may_work
may_moderate = permissions.may_work
# Saying that an article needs work is reading with a pencil.
may_remark = permissions.is_agent
may_remove = permissions.may_configure
