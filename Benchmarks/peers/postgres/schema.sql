-- Members are numbers here (text keys would only be slower). Room in each page lets most updates stay on it.
CREATE TABLE members (
    member integer PRIMARY KEY,
    referrer integer,
    points bigint NOT NULL DEFAULT 0,
    cents bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 60);

CREATE TABLE actions (
    external_id text COLLATE "C" PRIMARY KEY,
    member integer NOT NULL,
    cents integer NOT NULL,
    happened timestamptz NOT NULL
);

CREATE TABLE board (
    month date NOT NULL,
    member integer NOT NULL,
    score bigint NOT NULL,
    PRIMARY KEY (month, member)
);
CREATE INDEX board_by_score ON board (month, score);
