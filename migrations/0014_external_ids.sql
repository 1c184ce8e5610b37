-- What other systems call the people here.

CREATE TABLE external_id (
    id         uuid        CONSTRAINT external_id_pkey PRIMARY KEY DEFAULT uuid_v7(),
    asn_id     uuid        NOT NULL CONSTRAINT external_id_asn_fkey REFERENCES asn,
    system     text COLLATE "C" NOT NULL CONSTRAINT external_id_system_form CHECK (system ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
    value      text COLLATE "C" NOT NULL CONSTRAINT external_id_value_length CHECK (length(value) BETWEEN 1 AND 200),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT external_id_one_key UNIQUE (asn_id, system),
    CONSTRAINT external_id_value_key UNIQUE (system, value)
);
COMMENT ON TABLE external_id IS 'Ids of people in other systems: one person one id in a system, and one id one person.';
COMMENT ON COLUMN external_id.id IS 'UUIDv7; what a merge of two records notes';
COMMENT ON COLUMN external_id.asn_id IS 'asn.id';
COMMENT ON COLUMN external_id.system IS 'The other system, as its integrator calls it: siasn, simpeg-dinkes, absensi';
COMMENT ON COLUMN external_id.value IS 'What it calls the person';
COMMENT ON COLUMN external_id.updated_at IS 'Last change';
