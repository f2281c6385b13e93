using System.Security.Cryptography;
using System.Text;
using Concertina.Gateway.Http;
using Concertina.Gateway.Tenants;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Admin;

/// <summary>Lets the operator in, and nobody else: tenants' keys open nothing here.</summary>
internal sealed class AdminAccess(IOptions<AdminOptions> options)
{
    private readonly byte[]? _key = options.Value.KeySha256 is { } hash ? Convert.FromHexString(hash) : null;

    /// <summary>Null when the request carries the operator's key; else why not. Without such a key there is no such path.</summary>
    public ApiError? Refuse(HttpRequest request)
    {
        if (_key is null)
        {
            return ApiErrors.PathNotFound(request.Path);
        }
        return KeyRing.KeyOf(request) is not { } key
            ? ApiErrors.InvalidKey(given: false)
            : CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(key)), _key)
                ? null
                : ApiErrors.InvalidKey(given: true);
    }
}
