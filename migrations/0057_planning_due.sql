-- By when a year's SKP is drafted and fixed, and its evaluation is done; who has not yet.

SELECT audit_quietly('{performance_setting}', $q$
    INSERT INTO performance_setting VALUES
        ('skp_draft_days', '2022-01-01', 14, 'Permenpan RB 8/2021, annex: the second week of January, then the performance team writes it; confirmed for 8/2021, the same practice under 6/2022 recalled'),
        ('skp_fixed_days', '2022-01-01', 31, 'Permenpan RB 8/2021, annex: the end of January; confirmed for 8/2021, the same practice under 6/2022 recalled'),
        ('evaluation_days', '2022-01-01', 31, 'the end of January of the next year; recalled')
$q$);

CREATE FUNCTION planning_due_on(stage text, of_period period) RETURNS date
LANGUAGE sql STABLE
RETURN CASE WHEN (of_period).kind = 'tahunan' THEN
            CASE stage WHEN 'draft' THEN (of_period).starts_on + performance_number('skp_draft_days', (of_period).starts_on) - 1
                       WHEN 'skp' THEN (of_period).starts_on + performance_number('skp_fixed_days', (of_period).starts_on) - 1
                       WHEN 'evaluation' THEN (of_period).ends_on + performance_number('evaluation_days', (of_period).ends_on) END END;
COMMENT ON FUNCTION planning_due_on(text, period) IS
    'The last day on which the SKPs of a yearly period are drafted (draft) and approved (skp) and its evaluations final (evaluation); null: none was set then, or for such a period.';

SELECT row_security_attach();
