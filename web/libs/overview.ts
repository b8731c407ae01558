// ECharts, only the parts that the overview draws: a file of its own, which no other view fetches.
import { BarChart, CustomChart, HeatmapChart, LineChart, SankeyChart, ScatterChart } from "echarts/charts";
import { GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, CustomChart, LineChart, ScatterChart, HeatmapChart, SankeyChart, GridComponent, TooltipComponent, MarkLineComponent, CanvasRenderer]);

export { init };
