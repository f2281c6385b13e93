namespace Orleans.Runtime;

/// <summary>Anything a grain call can be addressed to: a grain or a reference to one.</summary>
public interface IAddressable;
