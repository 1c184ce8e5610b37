// SPDX-License-Identifier: Apache-2.0

// The same answers as asnd by net/http and pgx: one pool, statements prepared by pgx's cache, rows collected into structs, encoding/json.
package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

type server struct {
	pool       *pgxpool.Pool
	statements map[string]string
	keyHash    []byte
}

type page struct {
	Next *string `json:"next"`
}

type list[T any] struct {
	Data []T  `json:"data"`
	Page page `json:"page"`
}

func main() {
	ctx := context.Background()
	s := &server{}
	raw, err := os.ReadFile(os.Getenv("BENCH_STATEMENTS"))
	if err != nil {
		log.Fatal(err)
	}
	if err := json.Unmarshal(raw, &s.statements); err != nil {
		log.Fatal(err)
	}
	if s.keyHash, err = hex.DecodeString(os.Getenv("BENCH_KEY_HASH")); err != nil {
		log.Fatal(err)
	}
	config, err := pgxpool.ParseConfig(os.Getenv("BENCH_DATABASE"))
	if err != nil {
		log.Fatal(err)
	}
	n, err := strconv.Atoi(os.Getenv("BENCH_CONNECTIONS"))
	if err != nil {
		log.Fatal(err)
	}
	config.MaxConns, config.MinConns = int32(n), int32(n)
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) { answer(w, 200, map[string]string{"status": "alive"}) })
	mux.HandleFunc("GET /v1/asn/{nip}", s.guarded(s.getAsn))
	mux.HandleFunc("GET /v1/asn", s.guarded(s.listAsn))
	mux.HandleFunc("POST /v1/enrolments", s.guarded(s.createEnrolment))
	mux.HandleFunc("GET /perf-test", s.perfTest)
	mux.HandleFunc("GET /minimal", s.minimal)
	mux.HandleFunc("POST /post", s.post)
	mux.HandleFunc("GET /nested", s.nested)
	mux.HandleFunc("GET /large", s.large)
	mux.HandleFunc("GET /params", s.params)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("BENCH_PORT"), mux))
}

func answer(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		log.Print(err)
		w.WriteHeader(500)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

func fail(w http.ResponseWriter, err error) {
	var invalid badRequest
	switch {
	case errors.As(err, &invalid):
		answer(w, 400, map[string]string{"detail": err.Error()})
	case errors.Is(err, pgx.ErrNoRows):
		answer(w, 404, map[string]string{"detail": "not found"})
	default:
		log.Print(err)
		answer(w, 500, map[string]string{"detail": "internal"})
	}
}

type badRequest struct{ error }

// guarded asks for the API key, of which only the hash is known.
func (s *server) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		hash := sha256.Sum256([]byte(token))
		if !ok || subtle.ConstantTimeCompare(hash[:], s.keyHash) != 1 {
			answer(w, 401, map[string]string{"detail": "unauthenticated"})
			return
		}
		next(w, r)
	}
}

func one[T any](s *server, w http.ResponseWriter, r *http.Request, status int, name string, args ...any) {
	rows, _ := s.pool.Query(r.Context(), s.statements[name], args...)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[T])
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, status, row)
}

func many[T any](s *server, r *http.Request, name string, args ...any) ([]T, error) {
	rows, _ := s.pool.Query(r.Context(), s.statements[name], args...)
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

func whole[T any](s *server, w http.ResponseWriter, r *http.Request, name string, args ...any) {
	rows, err := many[T](s, r, name, args...)
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, 200, list[T]{Data: rows})
}

func (s *server) getAsn(w http.ResponseWriter, r *http.Request) {
	one[asn](s, w, r, 200, "getAsn", r.PathValue("nip"))
}

func (s *server) listAsn(w http.ResponseWriter, r *http.Request) {
	rows, err := many[asn](s, r, "listAsn")
	if err != nil {
		fail(w, err)
		return
	}
	found := list[asn]{Data: rows}
	if len(rows) > 50 {
		found.Data = rows[:50]
		found.Page.Next = &rows[49].Nip
	}
	answer(w, 200, found)
}

func (s *server) createEnrolment(w http.ResponseWriter, r *http.Request) {
	var body json.RawMessage
	var members struct {
		SessionID string `json:"session_id"`
		Nip       string `json:"nip"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || json.Unmarshal(body, &members) != nil {
		fail(w, badRequest{errors.New("no JSON")})
		return
	}
	rows, _ := s.pool.Query(r.Context(), s.statements["createEnrolment"], members.SessionID, members.Nip, body)
	made, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[enrolment])
	if err != nil {
		fail(w, err)
		return
	}
	if made.Problem != nil {
		answer(w, 409, map[string]string{"code": *made.Problem})
		return
	}
	answer(w, 201, made)
}

// ── the public workload ──

func number(r *http.Request, name string, low, high int) (int, error) {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < low || n > high {
		return 0, badRequest{errors.New(name)}
	}
	return n, nil
}

func (s *server) perfTest(w http.ResponseWriter, r *http.Request) {
	n, err := number(r, "records", 1, 500)
	if err != nil {
		fail(w, err)
		return
	}
	whole[perfRow](s, w, r, "perfTest", n)
}

func (s *server) minimal(w http.ResponseWriter, r *http.Request) {
	one[minimalRow](s, w, r, 200, "minimal")
}

func (s *server) post(w http.ResponseWriter, r *http.Request) {
	var in postNew
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		fail(w, badRequest{errors.New("no JSON")})
		return
	}
	one[postRow](s, w, r, 200, "post", in.Name, in.Count, in.Price, in.Active, in.Tags)
}

func (s *server) nested(w http.ResponseWriter, r *http.Request) {
	n, err := number(r, "depth", 1, 3)
	if err != nil {
		fail(w, err)
		return
	}
	whole[nestedRow](s, w, r, "nested", n)
}

func (s *server) large(w http.ResponseWriter, r *http.Request) {
	n, err := number(r, "kilobytes", 1, 500)
	if err != nil {
		fail(w, err)
		return
	}
	one[largeRow](s, w, r, 200, "large", n)
}

func (s *server) params(w http.ResponseWriter, r *http.Request) {
	args, err := readParams(r.URL.Query())
	if err != nil {
		fail(w, badRequest{err})
		return
	}
	one[paramsRow](s, w, r, 200, "params", args...)
}
