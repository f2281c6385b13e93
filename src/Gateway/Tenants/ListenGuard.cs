using System.Net;
using Microsoft.Extensions.Configuration;

namespace Concertina.Gateway.Tenants;

/// <summary>Refuses a public address on a server whose callers need no key.</summary>
public static class ListenGuard
{
    /// <summary>Checks listen addresses against the configured tenants.</summary>
    /// <param name="addresses">Addresses as Kestrel takes them, for example <c>http://127.0.0.1:8080</c>.</param>
    /// <param name="configuration">Configuration with the section <c>Tenants</c>.</param>
    /// <returns>Null when the server may start; else the message with the line to add.</returns>
    public static string? Refusal(IEnumerable<string> addresses, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        if (!IsKeyless(configuration))
        {
            return null;
        }
        string? open = addresses.FirstOrDefault(address => !IsLoopback(address));
        return open is null
            ? null
            : $$"""
               '{{open}}' can be reached from other machines, and no tenant has a key: anyone could use this server.
               Add a key to the configuration file (its hash comes from: printf %s "$KEY" | sha256sum):
                 "Tenants": { "default": { "KeySha256": ["<64 hexadecimal digits>"] } }
               or listen on this machine alone: http://127.0.0.1:8080
               """;
    }

    /// <summary>True when no tenant has a key, so that every caller is served.</summary>
    public static bool IsKeyless(IConfiguration configuration) => !TenantKeys.Read(configuration).HasKeys;

    private static bool IsLoopback(string address)
    {
        string rest = address.Contains("://", StringComparison.Ordinal) ? address[(address.IndexOf("://", StringComparison.Ordinal) + 3)..] : address;
        if (rest.StartsWith("unix:", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }
        string host = rest.Split('/')[0];
        int port = host.LastIndexOf(':');
        if (port > host.LastIndexOf(']'))
        {
            host = host[..port];
        }
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? ip) && IPAddress.IsLoopback(ip));
    }
}
