namespace Concertina.Compute.KvCache.Codecs;

/// <summary>What a codec or policy needs of the write hook beyond keys, values and positions.</summary>
[Flags]
internal enum HookNeeds
{
    None = 0,
    KeysBeforeRope = 1,
    QueriesBeforeRope = 2,
    LayerInput = 4,
}
