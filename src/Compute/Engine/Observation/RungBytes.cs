using System.Runtime.CompilerServices;

namespace Concertina.Compute.Engine;

/// <summary>Bytes of units in the form of each rung; a ladder has at most 32.</summary>
[InlineArray(MostRungs)]
internal struct RungBytes
{
    public const int MostRungs = 32;

    private long _first;
}
