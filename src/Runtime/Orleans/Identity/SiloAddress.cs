using System.Globalization;
using System.Net;

namespace Orleans.Runtime;

/// <summary>Address of one life of one silo: an end point and the generation, a number that grows with each start.</summary>
public sealed class SiloAddress : IEquatable<SiloAddress>, IComparable<SiloAddress>
{
    private SiloAddress(IPEndPoint endpoint, int generation)
    {
        Endpoint = endpoint;
        Generation = generation;
    }

    /// <summary>Where the silo listens.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>Which life of the silo at this end point.</summary>
    public int Generation { get; }

    /// <summary>The address of no silo.</summary>
    public static SiloAddress Zero { get; } = New(new IPEndPoint(0, 0), 0);

    /// <summary>An address.</summary>
    public static SiloAddress New(IPEndPoint ep, int gen)
    {
        ArgumentNullException.ThrowIfNull(ep);
        return new SiloAddress(ep, gen);
    }

    /// <summary>An address.</summary>
    public static SiloAddress New(IPAddress address, int port, int generation) => new(new IPEndPoint(address, port), generation);

    /// <summary>Written <c>address:port@generation</c>.</summary>
    public string ToParsableString() => string.Create(CultureInfo.InvariantCulture, $"{Endpoint}@{Generation}");

    /// <summary>Reads what <see cref="ToParsableString"/> wrote.</summary>
    /// <exception cref="FormatException">The text has another form.</exception>
    public static SiloAddress FromParsableString(string addr)
    {
        ArgumentNullException.ThrowIfNull(addr);
        int at = addr.LastIndexOf('@');
        if (at <= 0 || !IPEndPoint.TryParse(addr.AsSpan(0, at), out IPEndPoint? endpoint)
            || !int.TryParse(addr.AsSpan(at + 1), NumberStyles.Integer, CultureInfo.InvariantCulture, out int generation))
        {
            throw new FormatException($"Silo address '{addr}' is not of the form address:port@generation.");
        }

        return new SiloAddress(endpoint, generation);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"S{Endpoint}:{Generation}");

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SiloAddress);

    /// <inheritdoc/>
    public bool Equals(SiloAddress? other) =>
        other is not null && Generation == other.Generation && Endpoint.Equals(other.Endpoint);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Endpoint, Generation);

    /// <summary>Orders by end point, then by generation.</summary>
    public int CompareTo(SiloAddress? other)
    {
        if (other is null)
        {
            return 1;
        }

        int byEndpoint = string.CompareOrdinal(Endpoint.ToString(), other.Endpoint.ToString());
        return byEndpoint != 0 ? byEndpoint : Generation.CompareTo(other.Generation);
    }
}
