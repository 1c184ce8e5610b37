-- SPDX-License-Identifier: Apache-2.0
-- Any one slip of a typist finds the name: oarng Orang, bxdi and bdi Budi. See docs/decisions/0011-search.md.

SELECT show_limit(); -- as in 0067

-- As before, and words of which two neighbours changed places, and short ones with any other slip: of these hardly a trigram is left. What they may have
-- been is written out and looked up, not compared.
CREATE OR REPLACE FUNCTION words_like(query text) RETURNS text[]
LANGUAGE plpgsql STABLE STRICT SET pg_trgm.word_similarity_threshold = 0.3 AS $$
BEGIN
    IF length(query) > 3 THEN
        RETURN ARRAY(SELECT w.word FROM name_word w
                     WHERE  w.word %> query AND (word_similarity(query, w.word) >= 0.5 OR levenshtein_less_equal(w.word, query, 1) <= 1)
                     UNION
                     SELECT w.word FROM name_word w WHERE w.word = ANY (word_slips(query, CASE WHEN length(query) <= 5 THEN 'abcdefghijklmnopqrstuvwxyz' ELSE '' END)));
    END IF;
    RETURN ARRAY(SELECT w.word FROM name_word w WHERE w.word >= query AND w.word < query || '~'
                 UNION
                 SELECT w.word FROM name_word w WHERE length(query) = 3 AND w.word %> query AND length(w.word) <= 4 AND word_similarity(query, w.word) >= 0.5
                 UNION
                 SELECT w.word FROM name_word w WHERE length(query) = 3 AND w.word = ANY (word_slips(query, 'abcdefghijklmnopqrstuvwxyz')) AND length(w.word) = 4);
END $$;
COMMENT ON FUNCTION words_like(text) IS
    'The words of names that a word of a search may mean: half of its trigrams, all letters but one, or two neighbours that changed places. Of up to three letters those that begin so, and of three the short ones that are like it or have a letter more.';
