using Concertina.Gateway;
using Concertina.Silo.Options;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Concertina.Cli.Serving;

/// <summary>At a shutdown the gateway ends its streams before the silo ends what it runs, so that clients hear of it.</summary>
internal static class DrainOrder
{
    /// <summary>Stops the start when the two deadlines are the wrong way round.</summary>
    public static void Check(IServiceCollection services) => services.AddOptions<SiloOptions>().Validate<IOptions<GatewayOptions>>(
        (silo, gateway) => gateway.Value.DrainSeconds < silo.DrainSeconds || silo.DrainSeconds == 0,
        "Gateway:DrainSeconds must be below Silo:DrainSeconds: the gateway ends its streams with a message before the silo ends them without one.");
}
