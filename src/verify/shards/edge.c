/*
 * Passes over shards, and what they leave for one another: halves of pages. A
 * shard seldom ends where a page does; what was proven of the page behind its
 * end waits here for the shard that holds the rest, so that neither of them is
 * read again for the other's sake.
 */
#include "verify/engine/engine_internal.h"

#include <stdlib.h>

/* Per file; 4 KiB each. What is dropped costs another pass, no more. */
#define EDGES_MAX 256

struct mih_verify_edge *mih_verify_edge_new(const struct mih_verify_file *file,
					    uint64_t begin, uint64_t end)
{
	struct mih_verify_edge *edge =
	    calloc(1, sizeof(*edge) +
			  MIH_TREE_PAGE_GROUPS * mih_verify_node_len(file));

	if (!edge)
		return NULL;
	edge->page = begin / MIH_TREE_PAGE;
	edge->begin = begin;
	edge->end = end;
	return edge;
}

static bool is_left(const struct mih_verify_edge *edge)
{
	return edge->begin % MIH_TREE_PAGE == 0;
}

static struct mih_verify_edge *unlink_edge(struct mih_verify_layers *proof,
					   uint64_t page, bool left)
{
	struct mih_verify_edge **at = &proof->edges, *edge;

	while (*at && ((*at)->page != page || is_left(*at) != left))
		at = &(*at)->next;
	edge = *at;
	if (edge) {
		*at = edge->next;
		proof->nedges--;
	}
	return edge;
}

/* The oldest stands last. */
static struct mih_verify_edge *unlink_oldest(struct mih_verify_layers *proof)
{
	struct mih_verify_edge **at = &proof->edges, *edge;

	while (*at && (*at)->next)
		at = &(*at)->next;
	edge = *at;
	if (edge) {
		*at = NULL;
		proof->nedges--;
	}
	return edge;
}

struct mih_verify_edge *mih_verify_edge_take(struct mih_verify_engine *engine,
					     struct mih_verify_layers *proof,
					     uint64_t page, bool left)
{
	struct mih_verify_edge *edge;

	pthread_mutex_lock(&engine->pages.lock);
	edge = unlink_edge(proof, page, left);
	pthread_mutex_unlock(&engine->pages.lock);
	return edge;
}

void mih_verify_edge_keep(struct mih_verify_engine *engine,
			  struct mih_verify_layers *proof,
			  struct mih_verify_edge *edge)
{
	struct mih_verify_edge *drop = edge;

	if (!edge)
		return;
	pthread_mutex_lock(&engine->pages.lock);
	if (!proof->known[edge->page]) {
		drop = unlink_edge(proof, edge->page, is_left(edge));
		if (!drop && proof->nedges == EDGES_MAX)
			drop = unlink_oldest(proof);
		edge->next = proof->edges;
		proof->edges = edge;
		proof->nedges++;
	}
	pthread_mutex_unlock(&engine->pages.lock);
	free(drop);
}

void mih_verify_edges_free(struct mih_verify_layers *proof)
{
	while (proof->edges)
		free(unlink_oldest(proof));
}

static bool is_under_way(const struct mih_verify_layers *proof,
			 const struct mih_verify_pass *pass)
{
	for (const struct mih_verify_pass *p = proof->passes; p; p = p->next)
		if (pass->begin < p->end && p->begin < pass->end)
			return true;
	return false;
}

void mih_verify_pass_begin(struct mih_verify_engine *engine,
			   struct mih_verify_layers *proof,
			   struct mih_verify_pass *pass)
{
	pthread_mutex_lock(&engine->pages.lock);
	while (is_under_way(proof, pass))
		pthread_cond_wait(&engine->pages.passed, &engine->pages.lock);
	pass->next = proof->passes;
	proof->passes = pass;
	pthread_mutex_unlock(&engine->pages.lock);
}

void mih_verify_pass_end(struct mih_verify_engine *engine,
			 struct mih_verify_layers *proof,
			 struct mih_verify_pass *pass)
{
	struct mih_verify_pass **at = &proof->passes;

	pthread_mutex_lock(&engine->pages.lock);
	while (*at != pass)
		at = &(*at)->next;
	*at = pass->next;
	pthread_cond_broadcast(&engine->pages.passed);
	pthread_mutex_unlock(&engine->pages.lock);
}
