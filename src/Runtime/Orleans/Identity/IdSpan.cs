using System.Text;

namespace Orleans.Runtime;

/// <summary>A short sequence of UTF-8 bytes with its hash; the parts of a grain identity.</summary>
public readonly struct IdSpan : IEquatable<IdSpan>, IComparable<IdSpan>
{
    private readonly byte[]? _value;
    private readonly ulong _hash;

    /// <summary>Takes ownership of the bytes.</summary>
    public IdSpan(byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _value = value;
        _hash = Hash(value);
    }

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Value => _value;

    /// <summary>True for the default value.</summary>
    public bool IsDefault => _value is null or { Length: 0 };

    /// <summary>The bytes of a text.</summary>
    public static IdSpan Create(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return new IdSpan(Encoding.UTF8.GetBytes(id));
    }

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> AsSpan() => _value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is IdSpan other && Equals(other);

    /// <inheritdoc/>
    public bool Equals(IdSpan obj) => _hash == obj._hash && (_value == obj._value || AsSpan().SequenceEqual(obj.AsSpan()));

    /// <inheritdoc/>
    public override int GetHashCode() => (int)(_hash ^ (_hash >> 32));

    /// <summary>A hash that is the same in every process.</summary>
    public uint GetUniformHashCode() => (uint)GetHashCode();

    /// <inheritdoc/>
    public int CompareTo(IdSpan other) => AsSpan().SequenceCompareTo(other.AsSpan());

    /// <summary>The text.</summary>
    public override string ToString() => Encoding.UTF8.GetString(AsSpan());

    /// <summary>Same bytes.</summary>
    public static bool operator ==(IdSpan left, IdSpan right) => left.Equals(right);

    /// <summary>Different bytes.</summary>
    public static bool operator !=(IdSpan left, IdSpan right) => !left.Equals(right);

    // FNV-1a with 64 bits and a final mix: the same in every process, and short keys are all there is.
    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 14695981039346656037;
        foreach (byte value in bytes)
        {
            hash = (hash ^ value) * 1099511628211;
        }

        hash ^= hash >> 33;
        return hash * 0xff51afd7ed558ccd;
    }
}
