-- What the customer is told when nobody took the hand-over in time: an outbound message as JSON, until
-- it is sent.
ALTER TABLE handovers ADD COLUMN late_reply TEXT;
