"""`users.xml` and `users.d` read into an access model and written from one, each with what is lost on the way."""
