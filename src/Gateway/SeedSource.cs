using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway;

/// <summary>Seeds of requests that bring none. Repeatable from <see cref="GatewayOptions.Seed"/>; thread-safe.</summary>
internal sealed class SeedSource(IOptions<GatewayOptions> options)
{
    private readonly Lock _gate = new();
    private readonly Random _random = new(options.Value.Seed is { } seed
        ? HashCode32(seed)
        : RandomNumberGenerator.GetInt32(int.MaxValue));

    public long Next()
    {
        lock (_gate)
        {
            return _random.NextInt64();
        }
    }

    private static int HashCode32(long seed) => (int)(seed ^ (seed >> 32));
}
