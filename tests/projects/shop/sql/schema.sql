CREATE TABLE pictures (name text PRIMARY KEY, bytes integer NOT NULL);
