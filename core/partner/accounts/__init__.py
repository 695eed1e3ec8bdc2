"""Partner accounts, their users and partner connections: what is known of them, what is offered, what is decided."""
