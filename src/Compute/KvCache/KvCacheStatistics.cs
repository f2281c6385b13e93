namespace Concertina.Compute.KvCache;

/// <summary>What the cache holds at one moment. All bytes are physical.</summary>
/// <param name="BudgetBytes">All bytes it may use.</param>
/// <param name="UsedBytes">Bytes in use, tables, scratch and fragmentation inside extents' slots counted.</param>
/// <param name="PrefixBytes">Bytes of prefix columns, referenced or not.</param>
/// <param name="UnreferencedPrefixBytes">Of those, bytes no table refers to.</param>
/// <param name="PrefixColumns">Number of prefix columns.</param>
/// <param name="LiveUnits">Units allocated.</param>
/// <param name="Extents">Extents in use.</param>
/// <param name="FragmentedBytes">Bytes of extents in use that hold no unit.</param>
/// <param name="PrefixHitTokens">Tokens adopted from the prefix cache since start.</param>
/// <param name="PrefixMissTokens">Tokens looked up and not found since start.</param>
/// <param name="DroppedColumns">Prefix columns dropped since start.</param>
public readonly record struct KvCacheStatistics(
    long BudgetBytes, long UsedBytes, long PrefixBytes, long UnreferencedPrefixBytes, int PrefixColumns, long LiveUnits,
    int Extents, long FragmentedBytes, long PrefixHitTokens, long PrefixMissTokens, long DroppedColumns);
