/* http/tls.c: TLS 1.2 and later; which HTTP it carries is agreed on by ALPN. */
#include <openssl/err.h>
#include <string.h>

#include "http/http_internal.h"

static int choose_protocol(SSL *tls, const unsigned char **chosen, unsigned char *chosen_length, const unsigned char *offered, unsigned offered_length, void *caller)
{
    static const char *const ours[] = { "h2", "http/1.1" };
    (void)tls;
    (void)caller;
    for (int i = 0; i < 2; i++)
        for (unsigned at = 0; at < offered_length; at += offered[at] + 1u)
            if (offered[at] == strlen(ours[i]) && at + 1 + offered[at] <= offered_length && memcmp(offered + at + 1, ours[i], offered[at]) == 0) {
                *chosen = offered + at + 1;
                *chosen_length = offered[at];
                return SSL_TLSEXT_ERR_OK;
            }
    return SSL_TLSEXT_ERR_NOACK;
}

static Error *tls_error(const char *what, const char *path)
{
    char reason[256] = "unknown";
    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
    ERR_clear_error();
    return error_new(ERR_CONNECT, "cannot use %s '%s': %s", what, path, reason);
}

Error *tls_context_new(const char *certificate, const char *key, SSL_CTX **result)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    Error *error = NULL;
    if (!context)
        return tls_error("TLS with", certificate);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        error = tls_error("the certificate", certificate);
    else if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        error = tls_error("the key", key);
    else if (SSL_CTX_check_private_key(context) != 1)
        error = tls_error("the certificate with another key than", key);
    if (error)
        SSL_CTX_free(context);
    else
        *result = context;
    return error;
}
