INSERT INTO tickets (title) SELECT 'report' WHERE NOT EXISTS (SELECT FROM tickets);
