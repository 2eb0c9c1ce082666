"""Who may do what with the knowledge base: views and API ask here, and nowhere else. Who may read what as a reader is
said in `knowledge.visibility`.

Viewers read what agents read. Agents write, publish, moderate: who knows the answer gives it. Admins set up the
categories, and remove for good.
"""

from helpdesk.customers import permissions

may_read_internal = permissions.is_agent
may_write = permissions.may_work
may_publish = permissions.may_work
may_moderate = permissions.may_work
# Saying that an article needs work is reading with a pencil.
may_remark = permissions.is_agent
may_settle = permissions.may_work
may_configure = permissions.may_configure
may_remove = permissions.may_configure
