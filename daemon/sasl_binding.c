/* sasl_binding.c - see sasl_binding.h.
 */
#include "build.h"

#include "daemon/sasl_binding.h"

#include <errno.h>
#include <stddef.h>

#include <gsasl.h>

static int
binding_copy(struct span octets, char **text_r)
{
	if (octets.len == 0)
		return 0;
	return gsasl_base64_to(octets.bytes, octets.len, text_r, NULL) ==
		GSASL_OK
	    ? 0
	    : -ENOMEM;
}

int
sasl_binding_init(struct sasl_binding *binding, struct span unique,
    struct span exporter)
{
	int rc = binding_copy(unique, &binding->unique);

	return rc != 0 ? rc : binding_copy(exporter, &binding->exporter);
}

void
sasl_binding_fini(struct sasl_binding *binding)
{
	gsasl_free(binding->unique);
	gsasl_free(binding->exporter);
	binding->unique = binding->exporter = NULL;
}

bool
sasl_binding_is_empty(const struct sasl_binding *binding)
{
	return binding->unique == NULL && binding->exporter == NULL;
}

bool
sasl_binding_property(const struct sasl_binding *binding,
    struct Gsasl_session *session, int property, int *result_r)
{
	bool unique = property == GSASL_CB_TLS_UNIQUE;
	const char *text = NULL;

	if (binding != NULL)
		text = unique ? binding->unique : binding->exporter;
	if (!unique && property != GSASL_CB_TLS_EXPORTER)
		return false;
	if (text != NULL)
		*result_r =
		    gsasl_property_set(session, (Gsasl_property)property, text);
	else
		*result_r =
		    unique ? GSASL_NO_CB_TLS_UNIQUE : GSASL_NO_CB_TLS_EXPORTER;
	return true;
}
