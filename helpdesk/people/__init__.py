"""How agents come in, prove who they are, and are shown out: invitations, logins, second factors, sessions."""
