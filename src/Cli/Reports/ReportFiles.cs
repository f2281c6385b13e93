namespace Concertina.Cli.Reports;

/// <summary>What a report reads and writes.</summary>
/// <param name="Results">Folder with results.</param>
/// <param name="Page">Markdown page.</param>
/// <param name="Plot">Plot of bytes against divergence, SVG.</param>
/// <param name="CapacityPlot">Plot of sessions per GiB, SVG.</param>
/// <param name="DemandPlot">Plot of goodput under memory pressure, SVG; written if there are such results.</param>
internal sealed record ReportFiles(string Results, string Page, string Plot, string CapacityPlot, string DemandPlot);
