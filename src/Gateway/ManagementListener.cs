using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Concertina.Gateway;

/// <summary>Sees to it that something listens on <see cref="GatewayOptions.ManagementPort"/>.</summary>
public static class ManagementListener
{
    /// <summary>Adds the management port on loopback, unless an address has that port already.</summary>
    /// <param name="addresses">Addresses as Kestrel takes them, for example <c>http://127.0.0.1:8080</c>.</param>
    /// <param name="configuration">Configuration with the section <see cref="GatewayOptions.Section"/>.</param>
    /// <returns>The addresses to listen on; the given ones come first.</returns>
    public static string[] AddTo(string[] addresses, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        ArgumentNullException.ThrowIfNull(configuration);
        string? configured = configuration[$"{GatewayOptions.Section}:{nameof(GatewayOptions.ManagementPort)}"];
        if (!int.TryParse(configured, NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port is < 1 or > 65_535)
        {
            // None, or one that the check of the options names at start.
            return addresses;
        }
        string suffix = string.Create(CultureInfo.InvariantCulture, $":{port}");
        return addresses.Any(address => address.Split("://")[^1].Split('/')[0].EndsWith(suffix, StringComparison.Ordinal))
            ? addresses
            : [.. addresses, $"http://127.0.0.1{suffix}"];
    }
}
