"""What a service keeps: entities, logs, inbox, outbox and parked messages, on SQLite or PostgreSQL.

collection · messaging   what is stored
storage · tx             how it is read and written: one transaction for one batch
sqlite · hot_sqlite · postgres · hot_postgres   the two databases, behind backend.py
asking · packed          how PostgreSQL is asked many things at once, and in which form
migrations · operations · schema   how tables come to be, and the proof that they are as declared
"""
