CREATE TABLE IF NOT EXISTS tickets (id serial PRIMARY KEY, title text NOT NULL, done boolean NOT NULL DEFAULT false);
