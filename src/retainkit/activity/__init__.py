"""Who is active when: growth accounting, active users, inactivity."""
